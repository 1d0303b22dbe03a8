"""Check ``model_latest.h5`` against the contract: the same as ``mnist-tasks check``.

This is a script, not a pytest module: pytest collects only the folder ``tests``.
"""

import sys

from mnist_tasks.cli.start import main

if __name__ == "__main__":
    main(["check", *sys.argv[1:]])
