"""The MNIST data set: its files fetched, verified, cached and memory-mapped."""
