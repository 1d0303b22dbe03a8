"""The false alarms of a contract. Text from a file is shown as text, never as markup."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.reporting import formatting, run_text
from mnist_tasks.reporting.terminal import tables
from mnist_tasks.sweeping.false_alarms import (
    ClauseFalseAlarms,
    FalseAlarmReport,
    SettingFalseAlarms,
)

_NOTE = (
    "false alarms: runs for which the clause did not pass, and the 95% interval of their share; "
    "next run: the probability that it will not pass, and the bound for the target rate, if the "
    "values are normally distributed"
)


def report(found: FalseAlarmReport) -> RenderableType:
    """Return a table for each setting: how often each clause fails a good recipe."""
    images = f"{found.images:,} {found.evaluated_on} images"
    heading = f"Contract: {run_text.contract(found.contract)}, on {images}"
    parts: list[RenderableType] = [Text(printable(heading, limit=1000))]
    parts += [_table(each, found.target_rate) for each in found.settings]
    if found.missing_runs is None:
        parts.append(Text("Not counted: the remaining runs of the unfinished sweep.", "yellow"))
    elif found.missing_runs:
        missing = formatting.plural(found.missing_runs, "run")
        parts.append(Text(f"Not counted: {missing} without a model.", "yellow"))
    parts.append(Text(_NOTE, "dim"))
    return Group(*parts)


def _table(setting: SettingFalseAlarms, target_rate: float) -> RenderableType:
    numbers = ("next run", f"bound at {target_rate:.3g}")
    columns = ("clause", "bound", "found", "false alarms", *numbers)
    rows = [
        (
            f"{clause.name} ",
            f"{clause.bound} ",
            f"{_found(clause)} ",
            f"{clause.alarms:,} ({100 * clause.low:.0f} to {clause.high:.0%}) ",
            f"{_probability(clause.predicted)} ",
            _suggested(clause),
        )
        for clause in setting.clauses
    ]
    title = f"{setting.setting}, {formatting.plural(setting.runs, 'run')}"
    return tables.table(columns, rows, title=title, right=numbers, tight=True)


def _found(clause: ClauseFalseAlarms) -> str:
    if clause.found is None:
        return "–"
    mean = _value(clause.found.mean, clause.unit)
    if not clause.found.deviation:
        return mean
    scale = 100 if clause.unit == "share" else 1
    return f"{mean} ± {scale * clause.found.deviation:.2f}"


def _probability(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.01%" if value < 0.0001 else f"{value:.2%}"


def _suggested(clause: ClauseFalseAlarms) -> str:
    """Format a suggested bound like the clause's own bound."""
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
