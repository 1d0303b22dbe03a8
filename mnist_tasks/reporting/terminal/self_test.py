"""The self-test of a contract: each planted model, and whether the contract fails it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.reporting import formatting, self_test_text
from mnist_tasks.reporting.terminal import tables

if TYPE_CHECKING:
    from mnist_tasks.checking.results import SelfTest

_STYLES = {"failed": "green", "let through": "yellow", "missed": "bold red", "not planted": "dim"}


def self_tested(found: SelfTest, path: str) -> RenderableType:
    """Show each planted model with its accuracy, and the clauses that failed it; then the rest."""
    rows = [
        (
            each.fault,
            formatting.percent(each.accuracy),
            Text(each.status, _STYLES[each.status]),
            self_test_text.reason(each),
        )
        for each in found.models
    ]
    title = f"Self-test: {path}, made worse"
    style = "green" if found.passed else "bold red"
    first, *others = self_test_text.conclusions(found)
    return Group(
        tables.table(self_test_text.COLUMNS, rows, title=title, right={"accuracy"}),
        Text(printable(first), style),
        *(Text(printable(line), "dim") for line in others),
    )
