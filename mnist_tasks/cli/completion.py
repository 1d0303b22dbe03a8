"""What a shell completes: the names of data sets, recipes, formats, runs and devices.

Nothing heavy is loaded. There is no place for an error: an invalid project has no names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnist_tasks.project import Project


def one_of(*names: str) -> Callable[[str], list[str]]:
    """Return a function that returns those of the names that begin with a text."""

    def complete(incomplete: str) -> list[str]:
        return _beginning(names, incomplete)

    return complete


def recipes(incomplete: str) -> list[str]:
    """Return the recipes that begin with a text, those of the project included."""
    from mnist_tasks.training.recipes import RECIPES

    ours = _project()
    return _beginning([*RECIPES, *(ours.settings.recipes if ours else ())], incomplete)


def datasets(incomplete: str) -> list[str]:
    """Return the data sets that begin with a text, those of the project included."""
    from mnist_tasks.data.datasets import KNOWN

    ours = _project()
    return _beginning([*KNOWN, *(ours.settings.datasets if ours else ())], incomplete)


def formats(incomplete: str) -> list[str]:
    """Return the formats of an export that begin with a text."""
    from mnist_tasks.exporting.formats import KINDS

    return _beginning(KINDS, incomplete)


def runs(ctx: Any, incomplete: str) -> list[str]:
    """Return the runs whose ids begin with a text, the newest first, after ``latest``."""
    try:
        with os.scandir(ctx.params.get("runs") or "runs") as entries:
            ids = sorted((each.name for each in entries if each.is_dir()), reverse=True)
    except OSError:
        ids = []
    return _beginning(["latest", *(each for each in ids if each[0].isdigit())], incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete) and name.isprintable()]


def _project() -> Project | None:
    from mnist_tasks import errors, project

    try:
        return project.find()
    except errors.MnistTasksError:
        return None
