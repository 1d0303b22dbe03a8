"""Train the default recipe and save ``model_latest.h5``: the same as ``mnist-tasks train``."""

import sys

from mnist_tasks.cli.start import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
