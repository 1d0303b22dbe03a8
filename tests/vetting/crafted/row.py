"""One crafted file: how to make it, and its expected result."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mnist_tasks.checking.contract import Contract
    from mnist_tasks.vetting.outcomes import Outcome

#: The usual outcome of a kind.
OUTCOMES: dict[str, Outcome] = {
    "code": "model-can-run-code",
    "links": "model-can-run-code",
    "hidden": "model-unsupported",
    "odd description": "model-unsupported",
    "corrupt": "model-unreadable",
}
PASSED, CONTRACT_FAILED, REFUSED = 0, 1, 3


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table.

    Attributes
    ----------
    name
        The file's name, extension included.
    kind
        Kind of attack, for the summary in the documentation.
    exit_code, reason
        Expected from ``check``; the reason is a regular expression.
    make
        Writes the file; its payload, if it has one, would create the second path.
    outcome
        The error's outcome, if it is not the usual one of its kind.
    needs_keras
        It rightly passes the static check: the problem shows when the model is built.
    greedy
        It may only be vetted in a process with limits.
    tries
        What the file tries, in one line, if its name and reason don't say it.
    contract
        It is made of a network that passes this contract, and is checked against it.
    """

    name: str
    kind: str
    exit_code: int
    reason: str
    make: Callable[[Path, Path], None]
    outcome: Outcome | None = None
    needs_keras: bool = False
    greedy: bool = False
    tries: str = ""
    contract: Contract | None = None


def from_bytes(name: str, kind: str, reason: str, data: Callable[[], bytes], **more: Any) -> Row:
    more.setdefault("exit_code", REFUSED)
    return Row(name=name, kind=kind, reason=reason, make=_writer(data), **more)


def _writer(data: Callable[[], bytes]) -> Callable[[Path, Path], None]:
    return lambda path, _canary: _write(path, data())


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def both(
    name: str,
    kind: str,
    reason: str,
    config: Callable[[Path], Any],
    *,
    weights: dict[str, Any] | None = None,
    **more: Any,
) -> list[Row]:
    """Return rows that write one description in both formats."""
    more.setdefault("exit_code", REFUSED)

    def h5(path: Path, canary: Path) -> None:
        path.write_bytes(handmade.write_h5(copy.deepcopy(config(canary)), weights))

    def keras(path: Path, canary: Path) -> None:
        stored = None
        if weights is not None:
            stored = handmade.write_weights(
                {
                    f"layers/{layer}/vars/{number}": value
                    for layer, values in weights.items()
                    for number, value in enumerate(values.values())
                }
            )
        path.write_bytes(handmade.write_keras(copy.deepcopy(config(canary)), stored))

    return [
        Row(name=f"{name}.h5", kind=kind, reason=reason, make=h5, **more),
        Row(name=f"{name}.keras", kind=kind, reason=reason, make=keras, **more),
    ]
