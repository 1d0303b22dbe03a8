"""The workflow as tasks: ``invoke --list`` lists them, and ``invoke`` alone runs all four steps.

A task runs the command of the same name and takes its options; ``invoke --dry TASK`` shows the
command line without running it. For a task of your own, add ``from invoke import task``, and a
function with ``@task`` below.
"""

import os
from pathlib import Path

from mnist_tasks.tasks import (
    check,
    demo,
    export,
    fetch,
    predict,
    report,
    reproduce,
    train,
    workflow,
)

__all__ = [
    "check",
    "demo",
    "export",
    "fetch",
    "predict",
    "report",
    "reproduce",
    "train",
    "workflow",
]

os.chdir(Path(__file__).parent)  # `invoke` finds this file from any folder below it
