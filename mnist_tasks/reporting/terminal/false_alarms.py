"""The tables of a calibration. Text from a file is shown as text, never as markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.reporting import formatting
from mnist_tasks.reporting.terminal import tables

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mnist_tasks.sweeping.false_alarms import Calibration, Calibrations, FalseAlarms

_NOTE = (
    "false alarms: runs for which it did not hold, and the 95% interval of their share; next run: "
    "the chance that it won't hold, and the bound for the chance that was asked, if runs vary "
    "normally"
)


def calibrated(found: Calibrations) -> RenderableType:
    """Show, clause by clause, how often a sound recipe would fail."""
    judge = formatting.evaluation_images(found.evaluated_on)
    contract = found.contract or "the default contract"
    parts: list[RenderableType] = [
        Text(printable(f"{contract}, on {found.images:,} {judge}", limit=1000))
    ]
    parts += [_table(each, found.wanted) for each in found.settings]
    parts += [Text(line, "yellow") for line in _left_out(found.left_out)]
    parts.append(Text(_NOTE, "dim"))
    return Group(*parts)


def _left_out(runs: int | None) -> list[str]:
    if runs is None:
        return ["Not counted: what the sweep, which was not finished, has not done."]
    return [f"Not counted: {formatting.plural(runs, 'run')} that left no model."] if runs else []


def _table(setting: Calibration, wanted: float) -> RenderableType:
    suggested = f"bound at {wanted:.3g}"
    table = tables.table(
        "clause",
        "bound",
        "found",
        "false alarms",
        "next run",
        suggested,
        title=f"{setting.setting}, {formatting.plural(setting.runs, 'run')}",
        right={"next run", suggested},
        tight=True,
    )
    for clause in setting.clauses:
        tables.add_row(
            table,
            f"{clause.name} ",
            f"{clause.bound} ",
            f"{_found(clause)} ",
            f"{clause.alarms:,} ({100 * clause.low:.0f} to {clause.high:.0%}) ",
            f"{_chance(clause.predicted)} ",
            _suggested(clause),
        )
    return table


def _found(clause: FalseAlarms) -> str:
    if clause.found is None:
        return "–"
    mean = _value(clause.found.mean, clause.unit)
    if not clause.found.deviation:
        return mean
    scale = 100 if clause.unit == "share" else 1
    return f"{mean} ± {scale * clause.found.deviation:.2f}"


def _chance(share: float | None) -> str:
    if share is None:
        return "–"
    return "< 0.01%" if share < 0.0001 else f"{share:.2%}"


def _suggested(clause: FalseAlarms) -> str:
    """Write a bound as the clause writes its own."""
    if clause.suggested is None:
        return "–"
    if clause.unit == "ms":
        return f"{clause.suggested:.2f} ms"
    if clause.unit == "share" and not clause.bound.endswith("%"):
        return f"{clause.suggested:.4f}"
    return _value(clause.suggested, clause.unit)


def _value(value: float, unit: str | None) -> str:
    if unit == "share":
        return f"{value:.2%}"
    return f"{value:,.0f}" if unit in {"parameters", "bytes"} else f"{value:.2f}"
