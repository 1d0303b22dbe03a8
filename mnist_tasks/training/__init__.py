"""Train a recipe: from its settings to the saved model and the record of the run."""
