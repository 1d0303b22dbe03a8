"""The first house: MNIST's files, fetched, verified, cached and memory-mapped."""
