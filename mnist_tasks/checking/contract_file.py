"""Read the contract from a file: ``pyproject.toml``, or one that the user names. Strictly.

A key that isn't known, a value of another type and a bound that can't be are refused, since a
clause that was written and not checked would be worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mnist_tasks import toml_files
from mnist_tasks.checking.contract import Baseline, Contract
from mnist_tasks.errors import UsageError, printable

PROJECT_FILE = Path("pyproject.toml")
TABLE = ("tool", "mnist-tasks", "contract")
TABLE_NAME = f"[{'.'.join(TABLE)}]"


@dataclass(frozen=True, kw_only=True)
class LoadedContract:
    """A contract, and the file that it was read from; ``None`` stands for the default."""

    contract: Contract
    source: str | None = None


def load(path: Path | None = None) -> LoadedContract:
    """Read the contract.

    Parameters
    ----------
    path
        A TOML file with the keys of `Contract` at its top, or in ``[tool.mnist-tasks.contract]``.
        By default that table of the ``pyproject.toml`` in the current folder; where there is none,
        the default contract.

    Raises
    ------
    UsageError
        The file can't be read, or a key or a value in it can't be.
    """
    source = path or PROJECT_FILE
    if path is None and not source.is_file():
        return LoadedContract(contract=Contract())
    document = toml_files.parse(source, "a contract")
    table = _inner(document, source)
    if table is None and path is None:
        return LoadedContract(contract=Contract())
    if table is not None and (stray := document.keys() & _names(Contract)):
        raise UsageError(
            f"{source}: {min(stray)}",
            expected=f"the key in {TABLE_NAME}, which this file has",
            found="outside of the table, where it would not count",
        )
    return LoadedContract(
        contract=_contract(document if table is None else table, source), source=str(source)
    )


def _inner(document: dict[str, Any], source: Path) -> Any:
    """Return the contract's own table, or ``None``; a table of ours with another name is none."""
    tools = document.get(TABLE[0])
    ours = tools.get(TABLE[1]) if isinstance(tools, dict) else None
    if ours is None:
        return None
    if not isinstance(ours, dict) or ours.keys() - {TABLE[2]}:
        raise UsageError(
            f"{source}: {'.'.join(TABLE[:2])}", expected=TABLE_NAME, found=printable(str(ours))
        )
    return ours.get(TABLE[2])


def _contract(table: Any, source: Path) -> Contract:
    contract = toml_files.convert(table, Contract, source, name=TABLE_NAME)
    if contract.baseline is None:
        return contract
    # The file names the baseline as it sees it, wherever the command is run.
    return replace(contract, baseline=_seen_from(source.parent, contract.baseline))


def _seen_from(folder: Path, baseline: Baseline) -> Baseline:
    if baseline.model is not None:
        return replace(baseline, model=str(folder / baseline.model))
    return replace(baseline, record=str(folder / str(baseline.record)))


def _names(cls: type[Any]) -> set[str]:
    return {field.name for field in fields(cls)}
