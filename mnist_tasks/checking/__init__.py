"""The third house: from a model file to a verdict on the contract."""
