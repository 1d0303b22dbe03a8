"""The settings of a project: the table ``[tool.mnist-tasks]`` of the nearest ``pyproject.toml``.

It is looked for from the current folder upwards, and never beside a model file, which may have
come from anywhere with a ``pyproject.toml`` of its own.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from mnist_tasks import toml_files
from mnist_tasks.config import Epochs
from mnist_tasks.errors import UsageError, printable

FILE_NAME = "pyproject.toml"
TABLE = ("tool", "mnist-tasks")
PREFIX = f"{'.'.join(TABLE)}."
TABLE_NAME = f"[{'.'.join(TABLE)}]"

Text = Annotated[str, Meta(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a project. A key is ``None`` where it is absent; paths are as written."""

    network: Annotated[
        Text | None,
        Meta(description="Network to train: net.py, net.py:build or package.module:build."),
    ] = None
    recipe: Annotated[Text | None, Meta(description="Recipe to train.")] = None
    epochs: Epochs | None = None
    dataset: Annotated[Text | None, Meta(description="Data set, by its name.")] = None
    contract: Annotated[
        Text | dict[str, Any] | None,
        Meta(description="The contract: a table, or a TOML file with one."),
    ] = None
    runs: Annotated[Text | None, Meta(description="Folder of the run records.")] = None
    output: Annotated[Text | None, Meta(description="Model file to write: .h5 or .keras.")] = None
    recipes: Annotated[dict[str, Any], Meta(description="Recipes of the project's own.")] = field(
        default_factory=dict
    )
    datasets: Annotated[dict[str, Any], Meta(description="Data sets of the project's own.")] = (
        field(default_factory=dict)
    )


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder with settings.

    Attributes
    ----------
    folder, file
        The folder, to which the paths in its settings are relative, and its ``pyproject.toml``;
        both as seen from the current folder, such as ``..`` and ``../pyproject.toml``.
    """

    folder: Path
    file: Path
    settings: Settings

    def key(self, name: str) -> str:
        """Return the full name of a key, as errors name it."""
        return f"{self.file}: {PREFIX}{name}"


def find(start: Path | None = None) -> Project | None:
    """Return the nearest project, from a folder upwards; the current folder by default.

    A ``pyproject.toml`` without the table is passed over.

    Raises
    ------
    UsageError
        A ``pyproject.toml`` on the way can't be read, has the table under a misspelled name, or an
        invalid setting; or it is another user's file in a folder that everyone may write to.
    """
    try:
        here = (start or Path()).resolve()
    except OSError:  # the current folder was deleted
        return None
    for levels, parent in enumerate((here, *here.parents)):
        file = (parent if start else Path(*[".."] * levels)) / FILE_NAME
        # Whatever has that name is read: a contract must not be lost to a broken link or a pipe.
        if not os.path.lexists(file):
            continue
        try:
            project = read(file)
        except UsageError:
            if _is_untrusted(file):  # it must not stop everybody who works below
                continue
            raise
        if project is not None and _is_untrusted(file):
            raise UsageError(
                str(file),
                expected="your own file, since everyone may write to this folder",
                found=f"a file of another user ({file.lstat().st_uid}) with the table {TABLE_NAME}",
                remedy="Work in a folder of your own.",
            )
        if project is not None:
            return project
    return None


def read(file: Path) -> Project | None:
    """Return the project of a TOML file, or ``None`` if the file has no such table.

    Raises
    ------
    UsageError
        The file can't be read, or it has the table under a misspelled name, or an invalid setting.
    """
    return of_document(toml_files.parse(file, "project settings"), file)


def of_document(document: dict[str, Any], file: Path) -> Project | None:
    """Return the project of a TOML document that was read from a file; as `read`."""
    _refuse_misspelled(document, file)
    tools = document.get(TABLE[0])
    table = tools.get(TABLE[1]) if isinstance(tools, dict) else None
    if table is None:
        return None
    settings = toml_files.convert(table, Settings, file, name=TABLE_NAME, prefix=PREFIX)
    return Project(folder=file.parent, file=file, settings=settings)


def _refuse_misspelled(document: dict[str, Any], file: Path) -> None:
    """Refuse the table of this program under another name, such as ``[tool.mnist_tasks]``."""
    tools = document.get(TABLE[0])
    inner = {TABLE[0]: tools} if isinstance(tools, dict) else {}
    for path, table in {"": document, **inner}.items():
        for key in table:
            # Names of packages are the same with dashes, underscores, dots and capital letters.
            is_ours = re.sub(r"[-_.]+", "-", key).lower() == TABLE[1]
            if is_ours and (path, key) != TABLE:
                name = f"{path}.{key}" if path else key
                raise UsageError(
                    f"{file}: [{printable(name)}]",
                    expected=TABLE_NAME,
                    found="another name, which has no effect",
                    remedy=f"Write {TABLE_NAME}.",
                )


def _is_untrusted(file: Path) -> bool:
    """Whether it is another user's file in a folder like ``/tmp``, where anyone can leave one.

    It could name a network, which `train` runs; git had this problem (CVE-2022-24765).
    """
    if sys.platform == "win32":
        return False
    folder, owner = file.parent.stat(), file.lstat().st_uid
    is_shared = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
    return bool(is_shared) and owner not in {os.getuid(), folder.st_uid}
