"""The numbers of a report as tables, for CSV files and for the JSON document."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_tasks import disk, listed_runs
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.reporting import run_summary, sweep_tables
from mnist_tasks.reporting.comparison import Comparison, Shown
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.reporting.sweep_view import SweepView

if TYPE_CHECKING:  # NumPy is slow to import
    from mnist_tasks.reporting.predicted_images import PredictedImage

Cell = str | int | float | None
Row = dict[str, Cell]
_OTHER_FOLDER = "Name another folder with --csv."
_LONGEST_HEADER = 20_000  # bytes: that of a comparison has the letters of its runs
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


#: The tables of all kinds of report, of which a folder has one, with columns that each always has.
COLUMNS = {
    "clauses": {"name", "bound", "found", "status"},
    "classes": {"label", "precision", "recall", "support"},
    "confusion": {"label", "predicted", "images"},
    "calibration": {"low", "high", "images", "confidence", "accuracy"},
    "wrong": {"index", "label", "predicted", "confidence"},
    "least_certain_correct": {"index", "label", "predicted", "confidence"},
    "typical_correct": {"index", "label", "predicted", "confidence"},
    "epochs": {"epoch", "loss", "accuracy", "seconds"},
    "curve": {"step", "loss", "accuracy"},
    "time": {"phase", "seconds"},
    "network": {"name", "kind", "output_shape", "parameters"},
    "filters": {"filter", "row", "column", "weight"},
    "runs": {"id", "seed", "accuracy", "loss", "parameters", "sha256"},
    "differences": {"name", "A", "B"},
    "pairs": {"letter", "against", "regressed", "fixed"},
    "changes": {"letter", "change"},
    "ranking": {"place", "setting", "recipe", "runs"},
    "curves": {"place", "setting", "curve", "epoch", "mean"},
    "failed": {"id", "setting", "seed", "exit_code"},
}


def of_report(shown: Shown) -> dict[str, list[Row]]:
    """Return the tables of a report: of one run, of several side by side, or of a sweep."""
    match shown:
        case RunView():
            return of_run(shown)
        case Comparison():
            return of_comparison(shown)
        case SweepView():
            return sweep_tables.of_sweep(shown)


def of_run(view: RunView) -> dict[str, list[Row]]:
    """Return the tables of a run's report; a table without data is empty."""
    record = view.record
    metrics = run_summary.metrics(record)
    classes = run_summary.dataset(record).classes
    predictions = view.predictions
    clauses = record.check.verdict.clauses if record.check else ()
    return {
        "clauses": [
            {
                "name": each.name,
                "bound": each.bound,
                "found": each.found,
                "low": each.interval.low if each.interval else None,
                "high": each.interval.high if each.interval else None,
                "status": each.status,
                "reason": each.reason,
            }
            for each in clauses
        ],
        "epochs": _rows(record.epochs),
        "curve": _rows(record.curve),
        "confusion": [
            {"label": label, "predicted": predicted, "images": count}
            for label, row in enumerate(metrics.confusion if metrics else ())
            for predicted, count in enumerate(row)
        ],
        "classes": _rows(run_summary.by_class(metrics, classes) if metrics else ()),
        "wrong": _predicted(predictions.wrong if predictions else (), classes),
        "least_certain_correct": _predicted(
            predictions.least_certain_correct if predictions else (), classes
        ),
        "typical_correct": _predicted(predictions.typical_correct if predictions else (), classes),
        "calibration": _rows(predictions.calibration if predictions else ()),
        "time": [{"phase": phase, "seconds": seconds} for phase, seconds in record.seconds.items()],
        "network": [
            asdict(layer) | {"output_shape": " x ".join(map(str, layer.output_shape[1:]))}
            for layer in run_summary.layers(record)
        ],
        "filters": [
            {"filter": number, "row": y, "column": x, "weight": weight}
            for number, square in enumerate(record.filters)
            for y, row in enumerate(square)
            for x, weight in enumerate(row)
        ],
        "runs": [of_listed(run) for run in view.stored_runs.runs],
    }


def of_comparison(comparison: Comparison) -> dict[str, list[Row]]:
    """Return the tables of a comparison; its runs have the letters of the page."""
    letters = comparison.letters
    return {
        "runs": [
            {"letter": letter, **of_listed(listed_runs.of(record))}
            for letter, record in zip(letters, comparison.records, strict=True)
        ],
        "differences": [
            {"name": row.name, **dict(zip(letters, row.values, strict=True))}
            for row in comparison.differences
        ],
        "epochs": [
            {"letter": letter, **row}
            for letter, record in zip(letters, comparison.records, strict=True)
            for row in _rows(record.epochs)
        ],
        "curve": [
            {"letter": letter, **row}
            for letter, record in zip(letters, comparison.records, strict=True)
            for row in _rows(record.curve)
        ],
        "pairs": [
            {
                "letter": pair.letter,
                "against": letters[0],
                "regressed": pair.counts.regressed,
                "fixed": pair.counts.fixed,
                "points": pair.points,
                "p_value": pair.counts.p_value,
            }
            for pair in comparison.pairs
        ],
        "changes": [
            {"letter": pair.letter, "change": change, **asdict(each)}
            for pair in comparison.pairs
            for change, found in (("regressed", pair.regressed), ("fixed", pair.fixed))
            for each in found
        ],
    }


def of_listed(run: ListedRun) -> Row:
    """Return a run as one row."""
    low, high = run_summary.interval(run) or (None, None)
    return {
        "id": run.id,
        "created": run.created,
        "recipe": run.recipe,
        "seed": run.seed,
        "epochs": run.epochs,
        "parameters": run.parameters,
        "operations": run.operations,
        "seconds": round(run.seconds, 3),
        "accuracy": run.accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "loss": run.loss,
        "evaluated_on": run.evaluated_on,
        "contract": run_summary.status(run),
        "sha256": run.sha256,
    }


def write(tables: dict[str, list[Row]], folder: Path) -> None:
    """Write each table that has rows as a CSV file; remove those of another report.

    Raises
    ------
    UsageError
        As in `require_own`.
    EnvironmentProblemError
        The folder can't be written.
    """
    require_own(folder)
    with disk.writable(folder, remedy=_OTHER_FOLDER):
        for name in COLUMNS:
            if rows := tables.get(name):
                disk.write(folder / f"{name}.csv", to_csv(rows).encode())
            else:
                (folder / f"{name}.csv").unlink(missing_ok=True)


def require_own(folder: Path) -> None:
    """Refuse a folder with a file that has the name of a table, and is none of a report.

    Raises
    ------
    UsageError
        It would be replaced or removed.
    """
    for name, columns in COLUMNS.items():
        path = folder / f"{name}.csv"
        if os.path.lexists(path) and not columns <= _columns(path):
            raise UsageError(
                "--csv",
                expected="a folder for the tables of reports",
                found=f"{path}, which no report wrote",
                remedy=_OTHER_FOLDER,
                reason="would-overwrite",
            )


def _columns(path: Path) -> set[str]:
    """Return the names in the first line of a file; none if it isn't one that can be read."""
    try:
        disk.require_regular(path)
        with path.open("rb") as file:
            return set(file.readline(_LONGEST_HEADER).decode(errors="replace").strip().split(","))
    except (OSError, ValueError):  # a ValueError: a null character
        return set()


def to_csv(rows: list[Row]) -> str:
    """Return rows as CSV in which no text can be a formula of a spreadsheet."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _rows(values: Iterable[Any]) -> list[Row]:
    """Return dataclasses of plain values as rows."""
    return [asdict(value) for value in values]


def _predicted(found: Iterable[PredictedImage], classes: Sequence[str]) -> list[Row]:
    """Return predicted images as rows with the names of their classes."""
    return [
        {
            "index": each.index,
            "label": each.label,
            "label_name": classes[each.label],
            "predicted": each.predicted,
            "predicted_name": classes[each.predicted],
            "confidence": each.confidence,
            "probability_of_label": each.probability_of_label,
        }
        for each in found
    ]


def _cell(value: Cell) -> Cell:
    if not isinstance(value, str):
        return value
    shown = printable(value, limit=1_000)
    return f"'{shown}" if shown.startswith(FORMULA_STARTS) else shown
