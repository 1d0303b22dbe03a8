"""A stranger's model file: looked at without Keras, then loaded and asked in a guarded process."""
