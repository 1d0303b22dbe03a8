"""Convert a model to another format, run the result, and keep it if it predicts the same."""
