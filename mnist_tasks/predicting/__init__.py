"""Predict pictures: read them, prepare them as MNIST's digits were, and run a model on them."""
