"""From a recipe to a trained model and the record of the run."""
