"""Recipes of a project: the tables ``[tool.mnist-tasks.recipes.NAME]`` of its settings."""

from __future__ import annotations

import re

import msgspec

from mnist_tasks import project, toml_files
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.project import Project
from mnist_tasks.training import recipes
from mnist_tasks.training.recipe import Recipe, RecipeTable

KEY = "recipes"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")  # it is part of the names of folders


def find(name: str) -> Recipe:
    """Return the recipe of a name: one of the package, or of the project in the current folder.

    Raises
    ------
    UsageError
        There is no such recipe, or one of the project's recipes is invalid.
    """
    return recipes.find(name, of_project(project.find()))


def of_project(found: Project | None) -> dict[str, Recipe]:
    """Return the recipes of a project by their names; all are checked.

    Raises
    ------
    UsageError
        A name, a key or a value is invalid.
    """
    if found is None:
        return {}
    return {name: _convert(name, table, found) for name, table in found.settings.recipes.items()}


def _convert(name: str, table: object, found: Project) -> Recipe:
    path = f"{project.PREFIX}{KEY}.{printable(name)}"
    is_ours = name in recipes.RECIPES
    if is_ours or not NAME.fullmatch(name):
        raise UsageError(
            f"{found.file}: [{path}]",
            expected="a name of up to 40 letters, digits, - and _",
            found="the name of a recipe of this package" if is_ours else printable(name),
        )
    checked = toml_files.convert(
        table, RecipeTable, found.file, name=f"[{path}]", prefix=f"{path}."
    )
    return Recipe(name=name, **msgspec.structs.asdict(checked))
