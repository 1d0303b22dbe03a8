"""Rank the settings of a sweep by their mean accuracy over the seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mnist_tasks import stats
from mnist_tasks.config import SettingValue
from mnist_tasks.records import RunRecord
from mnist_tasks.sweeping.search_space import Setting

CONFIDENCE = 0.95
RANGES = {"share": (0.0, 1.0), "points": (-100.0, 100.0)}  # others are not negative


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How a number varies over runs.

    Attributes
    ----------
    deviation
        Sample standard deviation; ``None`` for a single run.
    low, high
        95% interval of the mean over all seeds, by Student's t; ``None`` for a single run.
    """

    mean: float
    deviation: float | None
    low: float | None
    high: float | None
    least: float
    most: float


@dataclass(frozen=True, kw_only=True)
class Rank:
    """One setting of a sweep, over its seeds.

    Attributes
    ----------
    name
        The recipe and the values changed: ``default max_shift=0``.
    accuracy
        In [0, 1], on the images that the sweep evaluates on.
    loss
        Mean sparse categorical cross-entropy over the runs, in nats.
    fit_seconds
        Median of the runs.
    """

    name: str
    recipe: str
    settings: dict[str, SettingValue]
    runs: int
    accuracy: Spread
    loss: float
    parameters: int
    fit_seconds: float


def rank(records: Iterable[RunRecord]) -> tuple[Rank, ...]:
    """Rank the settings of a sweep; skip runs that are not part of one."""
    ranks = [_rank(setting, runs) for setting, runs in by_setting(records).items()]
    return tuple(sorted(ranks, key=lambda each: (-each.accuracy.mean, each.loss, each.name)))


def by_setting(records: Iterable[RunRecord]) -> dict[Setting, list[RunRecord]]:
    """Group the runs of a sweep by their setting."""
    found: dict[Setting, list[RunRecord]] = {}
    for record in records:
        if record.trial is not None:
            values = tuple(sorted(record.trial.settings.items()))
            setting = Setting(recipe=str(record.recipe.get("name")), values=values)
            found.setdefault(setting, []).append(record)
    return found


def spread(values: Sequence[float], unit: str | None) -> Spread:
    """Summarize at least one value of a unit of `Clause.unit`.

    The interval of the mean lies in the range of the unit, which Student's t doesn't know.
    """
    mean = statistics.fmean(values)
    deviation = low = high = None
    if len(values) > 1:
        deviation = statistics.stdev(values)
        errors = stats.student_quantile(CONFIDENCE, len(values) - 1)
        reach = errors * deviation / math.sqrt(len(values))
        least, most = range_of(unit)
        low, high = max(least, mean - reach), min(most, mean + reach)
    return Spread(
        mean=mean, deviation=deviation, low=low, high=high, least=min(values), most=max(values)
    )


def range_of(unit: str | None) -> tuple[float, float]:
    """Return the least and the greatest value of a unit of `Clause.unit`."""
    return RANGES.get(unit or "", (0.0, math.inf))


def _rank(setting: Setting, runs: Sequence[RunRecord]) -> Rank:
    trials = [run.trial for run in runs if run.trial is not None]
    return Rank(
        name=setting.name,
        recipe=setting.recipe,
        settings=dict(setting.values),
        runs=len(trials),
        accuracy=spread([trial.metrics.accuracy for trial in trials], "share"),
        loss=statistics.fmean(trial.metrics.loss for trial in trials),
        parameters=runs[0].model.parameters,
        fit_seconds=statistics.median(run.seconds.get("fit", 0.0) for run in runs),
    )
