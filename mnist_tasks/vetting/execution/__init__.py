"""In the vetting process, after the static check: build, measure, load and run a model."""
