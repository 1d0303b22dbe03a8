"""Everything that the report shows as tables: for CSV files, and for programs that read JSON."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import TYPE_CHECKING

from mnist_tasks import disk
from mnist_tasks.errors import printable
from mnist_tasks.reporting import summary

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.comparison import Comparison
    from mnist_tasks.reporting.run_view import View

    Cell = str | int | float | None
    Row = dict[str, Cell]

OTHER_FOLDER = "Name another folder with --csv."
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def of_run(view: View) -> dict[str, list[Row]]:
    """Return the tables of a run's report; one that has nothing to show is empty."""
    record = view.record
    metrics = summary.metrics(record)
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
        "epochs": [asdict(epoch) for epoch in record.epochs],
        "curve": [asdict(point) for point in record.curve],
        "confusion": [
            {"truth": truth, "said": said, "images": count}
            for truth, row in enumerate(metrics.confusion if metrics else ())
            for said, count in enumerate(row)
        ],
        "digits": [asdict(score) for score in (summary.by_digit(metrics) if metrics else ())],
        "mistakes": [asdict(answer) for answer in view.mistakes],
        "unsure_hits": [asdict(answer) for answer in view.unsure],
        "calibration": [
            {
                "low": each.low,
                "high": each.high,
                "images": each.images,
                "sureness": each.sureness,
                "accuracy": each.accuracy,
                "accuracy_low": each.interval[0],
                "accuracy_high": each.interval[1],
            }
            for each in view.calibration
        ],
        "time": [{"phase": phase, "seconds": seconds} for phase, seconds in record.seconds.items()],
        "network": [
            {
                "name": layer.name,
                "kind": layer.kind,
                "output_shape": " x ".join(map(str, layer.output_shape[1:])),
                "parameters": layer.parameters,
                "operations": layer.operations,
            }
            for layer in summary.layers(record)
        ],
        "filters": [
            {"filter": number, "row": y, "column": x, "weight": weight}
            for number, square in enumerate(record.filters)
            for y, row in enumerate(square)
            for x, weight in enumerate(row)
        ],
        "runs": [of_record(each) for each in view.everything.records],
    }


def of_comparison(comparison: Comparison) -> dict[str, list[Row]]:
    """Return the tables of runs side by side; each run has the letter of the page."""
    letters = comparison.letters
    return {
        "runs": [
            {"letter": letter, **of_record(record)}
            for letter, record in zip(letters, comparison.records, strict=True)
        ],
        "differences": [
            {"name": row.name, **dict(zip(letters, row.values, strict=True))}
            for row in comparison.differences
        ],
        "pairs": [
            {
                "letter": pair.letter,
                "against": letters[0],
                "regressed": pair.lost,
                "fixed": pair.won,
                "points": 100 * (pair.won - pair.lost) / pair.paired.images,
                "p": pair.chance,
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


def of_record(record: RunRecord) -> Row:
    """Return a run in one row."""
    metrics, evaluated_on = summary.judged(record)
    low, high = summary.interval(metrics) if metrics else (None, None)
    return {
        "id": record.id,
        "created": record.created,
        "recipe": str(record.recipe.get("name")),
        "seed": record.seed,
        "epochs": len(record.epochs),
        "parameters": record.model.parameters,
        "operations": summary.operations(record),
        "seconds": round(summary.total_seconds(record), 3),
        "accuracy": metrics.accuracy if metrics else None,
        "accuracy_low": low,
        "accuracy_high": high,
        "loss": metrics.loss if metrics else None,
        "evaluated_on": evaluated_on,
        "contract": summary.standing(record),
        "sha256": record.model.sha256,
    }


def write(tables: dict[str, list[Row]], folder: Path) -> None:
    """Write each table that has rows as a CSV file.

    Raises
    ------
    EnvironmentProblemError
        The folder can't be written.
    """
    with disk.writable(folder, remedy=OTHER_FOLDER):
        for name, rows in tables.items():
            if rows:
                disk.write(folder / f"{name}.csv", to_csv(rows).encode())


def to_csv(rows: list[Row]) -> str:
    """Return rows as CSV, its text such that no spreadsheet takes it for a formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Cell) -> Cell:
    if not isinstance(value, str):
        return value
    shown = printable(value, limit=1_000)
    return f"'{shown}" if shown.startswith(FORMULA_STARTS) else shown
