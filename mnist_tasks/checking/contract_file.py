"""Read the contract from ``pyproject.toml``, or from a file that the user names.

Unknown keys, wrong types and invalid bounds are errors: a clause that is never checked would be
worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import structs

from mnist_tasks import toml_files
from mnist_tasks.checking.contract import Contract
from mnist_tasks.errors import UsageError, printable

PROJECT_FILE = Path("pyproject.toml")
TABLE = ("tool", "mnist-tasks", "contract")
TABLE_NAME = f"[{'.'.join(TABLE)}]"


@dataclass(frozen=True, kw_only=True)
class LoadedContract:
    """A contract, and the file that it was read from; ``None`` for the default contract."""

    contract: Contract
    source: str | None = None


def load(path: Path | None = None) -> LoadedContract:
    """Read the contract from a file, or from ``./pyproject.toml`` if that has one.

    Its keys are at the top level of the file, or in ``[tool.mnist-tasks.contract]``, as they must
    be in ``./pyproject.toml``.

    Raises
    ------
    UsageError
        The file can't be read, or a key or a value in it is not valid.
    """
    source = path or PROJECT_FILE
    # Whatever has that name is read: a contract must not be lost to a broken link or a pipe.
    if path is None and not (source.exists() or source.is_symlink()):
        return LoadedContract(contract=Contract())
    document = toml_files.parse(source, "a contract")
    table = _inner(document, source)
    if table is None and path is None:
        return LoadedContract(contract=Contract())
    if table is not None and (stray := document.keys() & set(Contract.__struct_fields__)):
        raise UsageError(
            f"{source}: {min(stray)}",
            expected=f"the key in {TABLE_NAME}, which this file has",
            found="a key outside of the table, which has no effect",
        )
    contract = toml_files.convert(
        document if table is None else table, Contract, source, name=TABLE_NAME
    )
    if (baseline := contract.baseline) is not None:
        # The path is relative to the contract file, wherever the command runs.
        key = "record" if baseline.model is None else "model"
        baseline = structs.replace(baseline, **{key: str(source.parent / baseline.path)})
        contract = structs.replace(contract, baseline=baseline)
    return LoadedContract(contract=contract, source=str(source))


def _inner(document: dict[str, Any], source: Path) -> Any:
    """Return the contract's table, or ``None``; refuse another table of this program."""
    _refuse_misspelled(document, source)
    tools = document.get(TABLE[0])
    ours = tools.get(TABLE[1]) if isinstance(tools, dict) else None
    if ours is None:
        return None
    if not isinstance(ours, dict) or ours.keys() - {TABLE[2]}:
        raise UsageError(
            f"{source}: {'.'.join(TABLE[:2])}",
            expected=TABLE_NAME,
            found=printable(str(ours)),
        )
    return ours.get(TABLE[2])


def _refuse_misspelled(document: dict[str, Any], source: Path) -> None:
    """Refuse the table of this program under another name, such as ``[tool.mnist_tasks]``."""
    tools = document.get(TABLE[0])
    inner = {TABLE[0]: tools} if isinstance(tools, dict) else {}
    for path, table in {"": document, **inner}.items():
        for key in table:
            # Names of packages are the same with dashes, underscores, dots and capital letters.
            is_ours = re.sub(r"[-_.]+", "-", key).lower() == TABLE[1]
            if is_ours and (path, key) != TABLE[:2]:
                name = f"{path}.{key}" if path else key
                raise UsageError(
                    f"{source}: [{printable(name)}]",
                    expected=TABLE_NAME,
                    found="another name, which has no effect",
                    remedy=f"Write {TABLE_NAME}.",
                )
