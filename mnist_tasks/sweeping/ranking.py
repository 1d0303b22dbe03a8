"""What a sweep says of each of its settings, over the seeds: the best mean accuracy first."""

from __future__ import annotations

import math
import statistics as samples
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks import stats
from mnist_tasks.sweeping.search_space import Setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mnist_tasks.records import RunRecord

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How a figure varies over runs.

    Attributes
    ----------
    deviation
        The sample's standard deviation; ``None`` for a single run.
    low, high
        The interval that the mean of all seeds lies in, at 95%, by Student's t; ``None`` for a
        single run.
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
        The recipe with what was changed of it: ``default max_shift=0``.
    accuracy
        In [0, 1], on the images that the sweep judges by.
    loss
        Mean sparse categorical cross-entropy over the runs, in nats.
    fit_seconds
        Median of the runs.
    """

    name: str
    recipe: str
    settings: dict[str, float]
    runs: int
    accuracy: Spread
    loss: float
    parameters: int
    fit_seconds: float


def rank(records: Iterable[RunRecord]) -> tuple[Rank, ...]:
    """Put the runs of each setting together, and the settings in order.

    Runs that were in no sweep are left out.
    """
    ranks = [_of_setting(setting, runs) for setting, runs in by_setting(records).items()]
    return tuple(sorted(ranks, key=lambda each: (-each.accuracy.mean, each.loss, each.name)))


def by_setting(records: Iterable[RunRecord]) -> dict[Setting, list[RunRecord]]:
    """Return the runs of a sweep by their settings."""
    found: dict[Setting, list[RunRecord]] = {}
    for record in records:
        if record.trial is not None:
            values = tuple(sorted(record.trial.settings.items()))
            setting = Setting(recipe=str(record.recipe.get("name")), values=values)
            found.setdefault(setting, []).append(record)
    return found


def spread(values: Sequence[float]) -> Spread:
    """Return how values vary, at least one."""
    mean = samples.fmean(values)
    deviation = low = high = None
    if len(values) > 1:
        deviation = samples.stdev(values)
        errors = stats.student_quantile(CONFIDENCE, len(values) - 1)
        reach = errors * deviation / math.sqrt(len(values))
        low, high = mean - reach, mean + reach
    return Spread(
        mean=mean, deviation=deviation, low=low, high=high, least=min(values), most=max(values)
    )


def _of_setting(setting: Setting, runs: Sequence[RunRecord]) -> Rank:
    trials = [run.trial for run in runs if run.trial is not None]
    return Rank(
        name=setting.name,
        recipe=setting.recipe,
        settings=dict(setting.values),
        runs=len(trials),
        accuracy=spread([trial.metrics.accuracy for trial in trials]),
        loss=samples.fmean(trial.metrics.loss for trial in trials),
        parameters=runs[0].model.parameters,
        fit_seconds=samples.median(run.seconds.get("fit", 0.0) for run in runs),
    )
