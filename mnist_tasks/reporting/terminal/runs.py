"""What `runs` and `report` print: one run, a list of runs, a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mnist_tasks import run_models
from mnist_tasks.check_records import Metrics
from mnist_tasks.errors import printable
from mnist_tasks.foreground import command_line
from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.look_counts import Looks
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import class_tables, formatting, looks_text, run_summary, run_text
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.reporting.statuses import STATUSES
from mnist_tasks.reporting.sweep_view import SweepView
from mnist_tasks.reporting.terminal import results, sweep, tables
from mnist_tasks.reporting.terminal.long_table import LongTable
from mnist_tasks.run_store import StoredRuns

if TYPE_CHECKING:  # these are slow to import
    from mnist_tasks.reporting.comparison import Comparison, Shown
    from mnist_tasks.reporting.paired_runs import ClassChanges
    from mnist_tasks.reporting.side_by_side import Row

NEWEST = 10
NARROW = 80  # columns
MOST_EPOCHS = 12  # in a comparison


def run(record: RunRecord, model: str = "") -> RenderableType:
    """Show a run: its training, its verdict and the scores of each class.

    Parameters
    ----------
    model
        The file to check, unless it is the one that the run wrote.
    """
    parts: list[RenderableType] = [results.trained(record)] if record.epochs else []
    if record.check is None:
        command = f"mnist-tasks check {command_line([model or record.model.path])}"
        parts.append(Text(printable(f"not checked yet: run `{command}`", limit=1000), "yellow"))
        return Group(*parts)
    parts += [*([Text()] if parts else []), results.verdict(record.check)]
    if record.check.metrics is not None:
        names = record.check.dataset.classes
        parts += [Text(), classes(record.check.metrics, names)]
    return Group(*parts)


def classes(metrics: Metrics, names: Sequence[str]) -> RenderableType:
    """Show precision, recall and the row of the confusion matrix of each class.

    Where the matrix doesn't fit, the classes with the lowest recall, and their errors.
    """
    # A matrix of a hundred classes is not even made.
    matrix = _matrix(metrics, names) if class_tables.side_by_side(names) else None
    confusions = class_tables.confusions(metrics, names)
    return Group(
        matrix if matrix and tables.width(matrix) <= NARROW else _worst(metrics, names),
        Text(
            f"accuracy {formatting.percent(metrics.accuracy)}, "
            f"loss {formatting.loss(metrics.loss)}; "
            f"{run_summary.wrong(metrics):,} wrong"
            + (f"; most frequent: {confusions}" if confusions else "")
        ),
    )


def _matrix(metrics: Metrics, names: Sequence[str]) -> Table:
    # Long names head the rows only; a number stands for each in the columns.
    labels = names if class_tables.are_short(names) else [str(n) for n in range(len(names))]
    rows: list[list[str | Text]] = []
    for score, row in zip(run_summary.by_class(metrics, names), metrics.confusion, strict=True):
        # Without separators, which ten columns have no room for.
        cells = [
            Text(str(count), "green" if predicted == score.label else "red" if count else "dim")
            for predicted, count in enumerate(row)
        ]
        scores = (formatting.percent(score.precision), formatting.percent(score.recall))
        name = score.name if labels is names else f"{labels[score.label]} {score.name}"
        rows.append([name, *scores, *cells])
    numbers = ("precision", "recall", *map(printable, labels))
    title = f"{metrics.images:,} test images: labels (rows), predictions (columns)"
    return tables.table(("class", *numbers), rows, title=title, right=numbers, tight=True)


def _worst(metrics: Metrics, names: Sequence[str]) -> Table:
    rows = class_tables.worst_rows(metrics, names)
    columns, title = class_tables.WORST_COLUMNS, class_tables.title(metrics, len(rows))
    return tables.table(columns, rows, title=title, right=columns[1:-1])


def report(shown: Shown) -> RenderableType:
    """Show a sweep, a comparison, or one run and the newest of all runs."""
    if isinstance(shown, SweepView):
        return sweep.report(shown)
    if not isinstance(shown, RunView):
        return compared(shown)
    maker = shown.stored_runs.newest_of(shown.record.model.sha256)
    is_twin = maker is not None and maker.id != shown.record.id
    # A check of the file that both wrote would go to the newer run.
    own = str(run_models.kept(shown.record, shown.folder)) if is_twin else ""
    parts = [run(shown.record, own)]
    if shown.note:
        parts.append(Text(printable(shown.note, limit=1000), "yellow"))
    parts += _looks(shown.looks)
    if shown.has_others:
        parts += [Text(), newest(shown.stored_runs)]
    return Group(*parts)


def newest(stored: StoredRuns) -> RenderableType:
    """Show the newest runs, the newest first."""
    return listed(stored.runs[: -NEWEST - 1 : -1], stored)


def listed(
    runs: Sequence[ListedRun], stored: StoredRuns, *, size: int | None = None
) -> RenderableType:
    """Show some of the stored runs, in the given order; `size` is that of their folder in bytes."""
    title = f"Runs: {len(runs):,} of {len(stored.runs):,}"
    if size is not None:
        title += f", {size / 1e6:,.1f} MB"
    rows = run_text.rows(runs)
    table = LongTable(
        title=title,
        columns=tuple(rows[0]) if rows else run_text.RUN_COLUMNS,
        rows=[[printable(cell) for cell in row.values()] for row in rows],
        right={"seed", "parameters", "accuracy", "seconds"},
        styled="contract",
        styles={name: each.style for name, each in STATUSES.items()},
    )
    lines = [Text(f"skipped {printable(each)}", style="yellow") for each in stored.skipped]
    return Group(table, *lines)


def compared(comparison: Comparison) -> RenderableType:
    """Show the differences between runs, their results, and the images that changed."""
    parts: list[RenderableType] = [
        Text(f"{letter}: {printable(record.id)}")
        for letter, record in zip(comparison.letters, comparison.records, strict=True)
    ]
    if comparison.differences:
        parts.append(_side_by_side(comparison, comparison.differences, "Differences"))
    parts.append(_side_by_side(comparison, comparison.results, "Results"))
    title, epochs = comparison.by_epoch
    if epochs:
        shown = tables.spread(epochs, MOST_EPOCHS)
        parts.append(_side_by_side(comparison, shown, title))
    for pair in comparison.pairs:
        title = f"{pair.letter} compared with A, by label"
        parts += [_changes(pair.by_class, title), Text(f"{pair.outcome} {pair.difference}")]
    parts += [Text(f"not compared: {printable(each)}") for each in comparison.unpaired]
    return Group(*parts, *_looks(comparison.looks))


def _looks(found: Looks | None) -> list[Text]:
    text = looks_text.sentences(found)
    return [Text(text)] if text else []


def _changes(by_class: Sequence[ClassChanges], title: str) -> RenderableType:
    names = [each.name for each in by_class]
    if class_tables.are_short(names):
        rows = [
            ("regressed", *(str(each.regressed) for each in by_class)),
            ("fixed", *(str(each.fixed) for each in by_class)),
        ]
        return tables.table(("", *map(printable, names)), rows, title=title)
    changed = [each for each in by_class if each.regressed or each.fixed]
    changed.sort(key=lambda each: -each.regressed - each.fixed)
    if len(changed) > class_tables.MOST_ROWS:
        changed = changed[: class_tables.MOST_ROWS]
        title += f": the {len(changed)} with the most changes"
    shown = [(each.name, str(each.regressed), str(each.fixed)) for each in changed]
    columns = ("class", "regressed", "fixed")
    return tables.table(columns, shown, title=title, right=columns[1:])


def _side_by_side(comparison: Comparison, rows: Sequence[Row], title: str) -> RenderableType:
    cells = [(row.name, *row.values) for row in rows]
    return tables.table(("", *comparison.letters), cells, title=title)
