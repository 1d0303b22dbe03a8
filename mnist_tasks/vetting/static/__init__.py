"""The static check: what a model file contains, read without Keras."""
