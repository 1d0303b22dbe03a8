"""The fourth house: what people and machines read of a run."""
