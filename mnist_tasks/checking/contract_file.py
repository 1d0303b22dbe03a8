"""Find the contract: in the project's settings, or in a file that the user names.

Unknown keys, wrong types and invalid bounds are errors: a clause that is never checked would be
worse than none.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import structs

from mnist_tasks import project, toml_files
from mnist_tasks.checking.contract import Contract
from mnist_tasks.errors import UsageError
from mnist_tasks.project import Project

KEY = "contract"
TABLE_NAME = f"[{project.PREFIX}{KEY}]"


@dataclass(frozen=True, kw_only=True)
class LoadedContract:
    """A contract, and the file that it was read from; ``None`` for the default contract."""

    contract: Contract
    source: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read for it, which no result may overwrite."""
        baseline = self.contract.baseline
        found = (self.source, None if baseline is None else baseline.path)
        return tuple(Path(each) for each in found if each is not None)


def load(path: Path | None = None) -> LoadedContract:
    """Read the contract from a file, or that of the project that the current folder is in.

    The keys of a contract are at the top level of its file, or in ``[tool.mnist-tasks.contract]``,
    as they must be in ``pyproject.toml``, or in a file that is named there.

    Raises
    ------
    InputRefusedError
        There is no such file.
    UsageError
        The file can't be read, or a key or a value in it is not valid.
    """
    if path is not None:
        return _read(path)
    ours = project.find()
    if ours is None or ours.settings.contract is None:
        return LoadedContract(contract=Contract())
    return _of_project(ours)


def _read(source: Path, *, named_by: Path | None = None) -> LoadedContract:
    """Read a file that the user named, or the settings in the file `named_by`."""
    document = toml_files.parse(source, "a contract")
    ours = project.of_document(document, source)
    if ours is None:
        return _convert(document, source)
    if stray := document.keys() & set(Contract.__struct_fields__):
        raise UsageError(
            f"{source}: {min(stray)}",
            expected=f"the key in {TABLE_NAME}, which this file has",
            found="a key outside of the table, which has no effect",
        )
    if ours.settings.contract is None or (named_by and isinstance(ours.settings.contract, str)):
        raise UsageError(
            f"{source}: {TABLE_NAME}",
            expected="the table with the contract",
            found="none" if ours.settings.contract is None else "the name of another file",
        )
    return _of_project(ours)


def _of_project(ours: Project) -> LoadedContract:
    contract = ours.settings.contract
    if not isinstance(contract, str):
        return _convert(contract, ours.file)
    if not os.path.lexists(ours.folder / contract):
        raise UsageError(
            ours.key(KEY),
            expected="a table, or the path of a TOML file with a contract",
            found=f"no file {ours.folder / contract}",
        )
    return _read(ours.folder / contract, named_by=ours.file)


def _convert(table: Any, source: Path) -> LoadedContract:
    contract = toml_files.convert(table, Contract, source, name=TABLE_NAME)
    if (baseline := contract.baseline) is not None:
        # The path is relative to the contract file, wherever the command runs.
        key = "record" if baseline.model is None else "model"
        baseline = structs.replace(baseline, **{key: str(source.parent / baseline.path)})
        contract = structs.replace(contract, baseline=baseline)
    return LoadedContract(contract=contract, source=str(source))
