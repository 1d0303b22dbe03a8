"""Runs side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.checking.paired_test import PairedCounts
from mnist_tasks.errors import UsageError
from mnist_tasks.reporting.comparison import Comparison
from mnist_tasks.reporting.paired_runs import ClassChanges, PairedRuns
from mnist_tasks.reporting.run_view import RunView
from tests import examples, runs

if TYPE_CHECKING:
    from mnist_tasks.records import RunRecord


def pair(regressed: int, fixed: int) -> PairedRuns:
    return PairedRuns(
        letter="B",
        regressed=(),
        fixed=(),
        by_class=(
            ClassChanges(name="0", regressed=regressed, fixed=0),
            ClassChanges(name="1", regressed=0, fixed=fixed),
        ),
        counts=PairedCounts(images=1000, correct=900, regressed=regressed, fixed=fixed),
    )


def compare(*records: RunRecord) -> Comparison:
    nowhere = Path("nowhere")
    return Comparison(
        views=tuple(
            RunView(
                record=each,
                folder=nowhere,
                stored_runs=examples.stored(*records),
                data_folder=nowhere,
            )
            for each in records
        )
    )


@pytest.mark.parametrize(
    ("regressed", "fixed", "p_value", "words"),
    [
        (0, 0, 1.0, "do not differ significantly"),
        (5, 5, 1.0, "do not differ significantly"),
        (1, 9, 22 / 1024, "is better than A"),
        (9, 1, 22 / 1024, "is worse than A"),
        (2, 8, 112 / 1024, "do not differ significantly"),
    ],
)
def test_a_difference_counts_if_it_is_significant(
    regressed: int, fixed: int, p_value: float, words: str
) -> None:
    found = pair(regressed, fixed)
    assert found.counts.p_value == pytest.approx(p_value)
    assert words in found.outcome
    assert f"{(fixed - regressed) / 10:+.2f} points" in found.difference


def test_settings_that_differ_are_listed_and_no_others() -> None:
    first = examples.run(0)
    second = replace(
        examples.run(1), recipe={**first.recipe, "epochs": 3, "layers": []}, limit=1000
    )
    rows = {row.name: row.values for row in compare(first, second).differences}
    assert rows == {
        "epochs": ("1", "3"),
        "layer 1": ("Dropout: rate 0.1", "–"),
        "seed": ("0", "1"),
        "images": ("60,000 images", "the first 1,000 images"),
    }


def test_a_run_does_not_differ_from_itself() -> None:
    assert compare(examples.run(), examples.run()).differences == ()


def test_runs_are_paired_image_by_image(small_mnist: Path, tmp_path: Path) -> None:
    views = [runs.view(tmp_path / "runs", small_mnist, number) for number in (0, 1)]
    first, second = (each.predictions for each in views)
    assert first is not None
    assert second is not None
    (found,) = Comparison(views=tuple(views)).pairs
    regressed = first.correct & ~second.correct
    fixed = ~first.correct & second.correct
    assert (found.counts.regressed, found.counts.fixed) == (regressed.sum(), fixed.sum())
    assert [each.index for each in found.regressed] == list(regressed.nonzero()[0])
    for each in found.fixed:
        assert each.after == each.label != each.before
    assert found.by_class[3].name == "3"
    assert found.by_class[3].fixed == (fixed & (first.labels == 3)).sum()


def test_runs_without_predictions_are_not_paired() -> None:
    found = compare(examples.run(0), examples.run(1))
    assert found.pairs == ()
    assert found.headline == "Runs side by side."
    assert [line[:2] for line in found.unpaired] == ["A:", "B:"]


def test_more_runs_than_letters_are_refused() -> None:
    assert compare(*[examples.run()] * 26).letters[-1] == "Z"
    with pytest.raises(UsageError, match="27"):
        compare(*[examples.run()] * 27)
