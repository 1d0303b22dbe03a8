"""``python -m mnist_tasks``: the same as the command ``mnist-tasks``."""

from mnist_tasks.cli.start import main

main()
