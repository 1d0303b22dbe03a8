"""How many models were compared on the same test images, and how lucky the best of them may be."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mnist_tasks import looks, run_store, stats
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.looks import Look
from mnist_tasks.run_store import StoredRuns


@dataclass(frozen=True, kw_only=True)
class Looks:
    """How many models were evaluated on the same test images.

    Attributes
    ----------
    recipes
        Number of recipes, networks and scripts that trained them; settings count, seeds don't.
    from_elsewhere
        Number of models that no run made.
    images
        Number of test images.
    flattery_points
        By how many percentage points the accuracy of the best of so many equally good models is
        expected to exceed its true accuracy, at most. Their true accuracy is taken to be the
        median: that of the best is itself too high.
    """

    models: int
    recipes: int
    from_elsewhere: int
    images: int
    flattery_points: float


def count(own: Sequence[Look], runs: Path, stored: StoredRuns | None = None) -> Looks | None:
    """Return how many models were evaluated on the test images of some looks, these included.

    The ledger says so, and for models that it does not have the records of the runs.

    Parameters
    ----------
    own
        Looks at the same images; without any, the result is ``None``.
    stored
        The runs of the folder, if they are known.
    """
    if not own:
        return None
    ledger = looks.read(runs)
    first, models = own[0], {each.model for each in own}
    hashes = (each.images for each in (first, *ledger) if each.model in models)
    images = next(filter(None, hashes), None)

    def is_same(look: Look) -> bool:
        if images and look.images:
            return look.images == images
        return look.dataset == first.dataset

    in_ledger = {each.model for each in ledger}
    recorded = [run for run in _runs(runs, stored) if run.sha256 not in in_ledger]
    others = [*ledger, *filter(None, map(looks.of_listed, recorded))]
    # The ledger comes last: only it knows the run of a model file that was checked elsewhere.
    found = {each.model: each for each in [*own, *filter(is_same, others)]}
    # As if one more image were right and one wrong: models without an error are not infallible.
    accuracy = statistics.median((each.correct + 1) / (each.count + 2) for each in found.values())
    error = math.sqrt(accuracy * (1 - accuracy) / first.count)
    return Looks(
        models=len(found),
        recipes=_recipes(found.values()),
        from_elsewhere=sum(not each.recipe for each in found.values()),
        images=first.count,
        flattery_points=100 * error * stats.expected_maximum(len(found)),
    )


def _recipes(found: Iterable[Look]) -> int:
    """Count recipes: unknown settings are taken for those of another model of that name."""
    known = {(each.recipe, each.settings) for each in found if each.recipe and each.settings}
    unknown = {each.recipe for each in found if each.recipe and not each.settings}
    return len(known) + len(unknown - {name for name, _ in known})


def _runs(runs: Path, stored: StoredRuns | None) -> Sequence[ListedRun]:
    with suppress(InputRefusedError):
        return (stored or run_store.list_runs(runs)).runs
    return ()
