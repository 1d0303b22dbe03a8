"""The false alarms of a contract. Text from a file is shown as text, never as markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from mnist_tasks.checking.clauses import CEILING
from mnist_tasks.checking.decided import DecidedClause
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
_POWER_NOTE = (
    "detected drops: how many percentage points of accuracy a further run has to lose not to pass "
    "with a probability of 50, 90 or 99%; images to halve: how many it takes to detect half of the "
    "90% drop as often, with the bound at {rate}"
)
_ON_PREDICTIONS = ("share", "points")


def report(found: FalseAlarmReport) -> RenderableType:
    """Return a table for each setting: how often each clause fails a good recipe."""
    images = f"{found.images:,} {found.evaluated_on} images"
    heading = f"Contract: {run_text.contract(found.contract)}, on {images}"
    parts: list[RenderableType] = [Text(printable(heading, limit=1000))]
    for each in found.settings:
        parts.append(_table(each, found.target_rate))
        if each.detected:
            parts.append(_detected(each))
            parts += [Text(line) for line in _without_drops(each, found.decided)]
    parts += [Text(printable(_decided(each), limit=1000), "yellow") for each in found.decided]
    if found.missing_runs is None:
        parts.append(Text("Not counted: the remaining runs of the unfinished sweep.", "yellow"))
    elif found.missing_runs:
        missing = formatting.plural(found.missing_runs, "run")
        parts.append(Text(f"Not counted: {missing} without a model.", "yellow"))
    parts.append(Text(_NOTE, "dim"))
    if any(each.detected for each in found.settings):
        parts.append(Text(_POWER_NOTE.format(rate=f"{found.target_rate:.3g}"), "dim"))
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


def _detected(setting: SettingFalseAlarms) -> RenderableType:
    numbers = ("50%", "90%", "99%", "images to halve")
    rows = [
        (
            each.name if not each.is_suggested else "",
            each.bound,
            *map(_points, (each.drop_50, each.drop_90, each.drop_99)),
            formatting.count(each.images_for_half),
        )
        for each in setting.detected
    ]
    title = f"{setting.setting}, detected drops"
    return tables.table(("clause", "bound", *numbers), rows, title=title, right=numbers)


def _without_drops(setting: SettingFalseAlarms, decided: Sequence[DecidedClause]) -> Iterator[str]:
    """Name the clauses that are not in the table, and say why, unless they are named anyway."""
    named = {each.name for each in setting.detected} | {each.name for each in decided}
    others = [each for each in setting.clauses if each.name not in named]
    on_network = [
        each.name for each in others if each.unit not in _ON_PREDICTIONS or each.name == CEILING
    ]
    if on_network:
        yield f"No drop in accuracy fails: {', '.join(on_network)}."
    if unknown := [each.name for each in others if each.name not in on_network]:
        yield f"Not estimated: {', '.join(unknown)}."


def _points(share: float | None) -> str:
    return formatting.ABSENT if share is None else f"{100 * share:.2f}"


def _decided(clause: DecidedClause) -> str:
    what = "Can't fail" if clause.outcome == "passed" else "No model can pass"
    return f"{what}: {clause.name} {clause.bound}; {clause.reason}."


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
