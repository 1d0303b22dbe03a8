"""The figures of the report: drawn by the page's own template, so that they take on its colours."""
