"""What stands under the houses: whether this machine can run the workflow, and if not, why."""
