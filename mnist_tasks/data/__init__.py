"""The data sets: their files fetched, verified, cached and memory-mapped."""
