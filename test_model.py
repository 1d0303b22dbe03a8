"""Hold ``model_latest.h5`` against the contract: the same as ``mnist-tasks check``.

A script, not a test for pytest, which collects only the folder ``tests``.
"""

import sys

from mnist_tasks.cli.app import app

if __name__ == "__main__":
    app(["check", *sys.argv[1:]])
