"""The command line on a small data set: ``python small_cli.py FOLDER [ARGUMENT]...``.

A real process for the tests, with the real code but for the table of MNIST's hashes.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mnist_tasks.cli.app import app
from tests import generated


def vouch() -> None:
    generated.vouch_for(generated.write(Path(sys.argv[1]), train=512, test=128))


def run() -> None:
    vouch()
    app(sys.argv[2:], prog_name="mnist-tasks")


if __name__ == "__mp_main__":  # in a worker process of a sweep, which imports this file
    vouch()
if __name__ == "__main__":
    run()
