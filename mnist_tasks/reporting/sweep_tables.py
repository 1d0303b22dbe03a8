"""The numbers of a sweep's report as tables, for CSV files and for the JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from mnist_tasks.errors import printable
from mnist_tasks.reporting.sweep_view import SweepView

if TYPE_CHECKING:
    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.export_tables import Row
    from mnist_tasks.reporting.figures.run_curves import Curves
    from mnist_tasks.sweeping.ranking import Rank


def of_sweep(view: SweepView) -> dict[str, list[Row]]:
    """Return the tables of a sweep's report; `place` is that of a setting in the ranking."""
    ranking = view.sweep.ranking
    names = sorted({name for rank in ranking for name in rank.settings})
    places = {rank.name: place for place, rank in enumerate(ranking, start=1)}
    runs = [(places[rank.name], rank, record) for rank, record in view.ranked_runs]
    return {
        "ranking": [_ranked(places[rank.name], rank, names) for rank in ranking],
        "runs": [_run(place, rank, record) for place, rank, record in runs],
        "epochs": [
            {"place": place, "setting": rank.name, "seed": record.seed, **asdict(epoch)}
            for place, rank, record in runs
            for epoch in record.epochs
        ],
        "curves": [row for each in view.curves for row in _points(each)],
        "failed": [
            {
                "id": each.id,
                "setting": each.setting,
                "seed": each.seed,
                "exit_code": each.exit_code,
                "reason": each.failure.reason,
                "found": each.failure.found,
                "remedy": each.failure.remedy,
            }
            for each in view.sweep.failed
        ],
    }


def _ranked(place: int, rank: Rank, names: list[str]) -> Row:
    return {
        "place": place,
        "setting": rank.name,
        "recipe": rank.recipe,
        **{f"set_{printable(name, limit=100)}": rank.settings.get(name) for name in names},
        "runs": rank.runs,
        **{f"accuracy_{name}": value for name, value in asdict(rank.accuracy).items()},
        "loss": rank.loss,
        "parameters": rank.parameters,
        "fit_seconds": rank.fit_seconds,
    }


def _run(place: int, rank: Rank, record: RunRecord) -> Row:
    trial = record.trial
    metrics = trial.metrics if trial else None
    return {
        "place": place,
        "setting": rank.name,
        "id": record.id,
        "seed": record.seed,
        "images": metrics.images if metrics else None,
        "correct": metrics.correct if metrics else None,
        "accuracy": metrics.accuracy if metrics else None,
        "loss": metrics.loss if metrics else None,
        "parameters": record.model.parameters,
        "fit_seconds": record.seconds.get("fit"),
        "worker": trial.worker if trial else None,
        "attempts": trial.attempts if trial else None,
        "sha256": record.model.sha256,
    }


def _points(curves: Curves) -> list[Row]:
    """Return the points of a setting's mean curves; `epoch` is a fraction within one."""
    found = {
        "loss": curves.loss,
        "accuracy": curves.accuracy,
        "validation_loss": (curves.validation_loss,),
        "validation_accuracy": (curves.validation_accuracy,),
    }
    return [
        {"place": int(curves.label), "setting": curves.name, "curve": name, "epoch": x, "mean": y}
        for name, parts in found.items()
        for part in parts
        for x, y in part
    ]
