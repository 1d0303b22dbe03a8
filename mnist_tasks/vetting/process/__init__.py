"""The vetting process as its parent sees it: its start, its messages and its end."""
