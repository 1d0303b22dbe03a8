"""The command line on a small data set: ``python small_cli.py FOLDER [ARGUMENT]...``.

The real code in a real process, with another table of hashes.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mnist_tasks.cli.start import main
from tests import generated


def register() -> None:
    generated.register(generated.write(Path(sys.argv[1]), train=512, test=128))


def run() -> None:
    register()
    main(sys.argv[2:])


if __name__ == "__mp_main__":  # in a worker process of a sweep, which imports this file
    register()
if __name__ == "__main__":
    run()
