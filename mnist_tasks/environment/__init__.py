"""Check whether this machine can run the workflow, and if not, why."""
