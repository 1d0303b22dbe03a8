"""The figures of the report. The page's template draws them, so they share its colors."""
