"""The rows of runs side by side: their results, settings and epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mnist_tasks.records import Epoch, RunRecord
from mnist_tasks.reporting import formatting, run_summary, run_text
from mnist_tasks.reporting.formatting import ABSENT, HASH_DIGITS


@dataclass(frozen=True, kw_only=True)
class Row:
    """One result or setting, with its value in each run."""

    name: str
    values: tuple[str, ...]


def rows(columns: Sequence[dict[str, str]]) -> tuple[Row, ...]:
    """Turn a column for each run into a row for each name, in order of first appearance."""
    names = dict.fromkeys(name for column in columns for name in column)
    return tuple(
        Row(name=name, values=tuple(column.get(name, ABSENT) for column in columns))
        for name in names
    )


def results(record: RunRecord) -> dict[str, str]:
    """Return the results of a run by name."""
    metrics = run_summary.metrics(record)
    level = formatting.level(run_summary.confidence(record))
    interval = formatting.percent_range(run_summary.interval(record))
    return {
        "contract": run_summary.status(record),
        "test accuracy": formatting.percent(metrics.accuracy) if metrics else ABSENT,
        "interval": f"{interval} at {level}" if metrics else ABSENT,
        "wrong": formatting.count(run_summary.wrong(metrics) if metrics else None),
        **_validation(record),
        "test loss": formatting.loss(metrics.loss if metrics else None),
        "parameters": formatting.count(record.model.parameters),
        "operations": formatting.count(run_summary.operations(record)),
        "seconds": formatting.seconds(run_summary.total_seconds(record)),
        "images/s": formatting.speed(
            record.epochs[-1].images_per_second if record.epochs else None
        ),
    }


def _validation(record: RunRecord) -> dict[str, str]:
    last = record.epochs[-1].validation_accuracy if record.epochs else None
    if record.trial and record.trial.evaluated_on == "validation":
        last = record.trial.metrics.accuracy
    return {} if last is None else {"validation accuracy": formatting.percent(last)}


def provenance(record: RunRecord) -> dict[str, str]:
    """Return the settings, the machine and the hashes of a run by name."""
    *tables, _ = run_text.provenance(record)
    data = {f"data: {name}": digest[:HASH_DIGITS] for name, digest in record.data.items()}
    check = {"checked against": run_text.contract(record.check.contract)} if record.check else {}
    known = {name: value for table in tables for name, value in table.rows.items()}
    return {**known, **data, **check}


def by_epoch(records: Sequence[RunRecord]) -> tuple[str, tuple[Row, ...]]:
    """Return the accuracy of each epoch, and what it is of, where there is more than one epoch.

    It is that on the validation images if a run has any.
    """
    if max(len(record.epochs) for record in records) < 2:
        return "", ()
    is_validated = any(
        each.validation_accuracy is not None for record in records for each in record.epochs
    )

    def accuracy(epoch: Epoch) -> str:
        return formatting.percent(epoch.validation_accuracy if is_validated else epoch.accuracy)

    columns = [
        {f"epoch {n}": accuracy(epoch) for n, epoch in enumerate(record.epochs, start=1)}
        for record in records
    ]
    longest = max(columns, key=len)
    ordered = [dict.fromkeys(longest, ABSENT) | column for column in columns]
    found = [row for row in rows(ordered) if set(row.values) != {ABSENT}]
    return f"{'Validation' if is_validated else 'Training'} accuracy by epoch", tuple(found)
