"""Runs side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.checking.paired_test import PairedCounts
from mnist_tasks.errors import UsageError
from mnist_tasks.reporting import export_tables, html, markdown
from mnist_tasks.reporting.comparison import Comparison
from mnist_tasks.reporting.paired_runs import ClassChanges, PairedRuns
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.reporting.terminal import runs as run_tables
from tests import examples, runs
from tests.reporting.pages import Page
from tests.reporting.terminal.test_results import show

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


def trained(number: int, *accuracies: float, validated: bool = True) -> RunRecord:
    """A run with an epoch for each accuracy on its validation images."""
    run = examples.run(number)
    epochs = tuple(
        replace(
            run.epochs[0],
            epoch=n,
            validation_loss=0.1 if validated else None,
            validation_accuracy=accuracy if validated else None,
        )
        for n, accuracy in enumerate(accuracies, start=1)
    )
    return replace(run, epochs=epochs)


def test_the_accuracy_of_each_epoch_is_compared() -> None:
    found = compare(trained(0, 0.9, 0.95, 0.96), trained(1, 0.91))
    title, rows = found.by_epoch
    assert title == "Validation accuracy by epoch"
    assert [(row.name, row.values) for row in rows] == [
        ("epoch 1", ("90.00%", "91.00%")),
        ("epoch 2", ("95.00%", "–")),
        ("epoch 3", ("96.00%", "–")),
    ]
    assert {row.name: row.values for row in found.results}["validation accuracy"] == (
        "96.00%",
        "91.00%",
    )
    shown = show(run_tables.report(found))
    assert title in shown
    assert "epoch 3 96.00% –" in " ".join(shown.split())
    assert f"### {title}" in markdown.report(found)
    tables = export_tables.of_report(found)
    assert [(row["letter"], row["epoch"]) for row in tables["epochs"]] == [
        ("A", 1),
        ("A", 2),
        ("A", 3),
        ("B", 1),
    ]
    assert {row["letter"] for row in tables["curve"]} == {"A", "B"}


def test_without_validation_images_it_is_that_of_the_training() -> None:
    title, rows = compare(trained(0, 0.9, 0.9, validated=False), trained(1, 0.9)).by_epoch
    assert title == "Validation accuracy by epoch"  # that of B
    assert [row.values for row in rows] == [("–", "90.00%")]
    title, rows = compare(trained(0, 0.9, 0.9, validated=False)).by_epoch
    assert title == "Training accuracy by epoch"
    assert [row.values for row in rows] == [("95.80%",)] * 2
    assert compare(trained(0, 0.9)).by_epoch == ("", ())


def test_a_long_training_is_shown_in_part_in_the_terminal() -> None:
    found = compare(trained(0, *[0.9] * 100), trained(1, 0.9))
    shown = show(run_tables.report(found))
    assert shown.count("  epoch ") == run_tables.MOST_EPOCHS
    assert "epoch 100" in shown


def test_the_page_has_the_curves_of_all_runs() -> None:
    page = Page(html.page(compare(trained(0, 0.9, 0.95), trained(1, 0.91))))
    assert "A default, seed 0" in " ".join(page.texts["curves"].split())
    second = replace(trained(1, 0.9), recipe={"name": "plain", "epochs": 3})
    assert [each.name for each in compare(trained(0, 0.9), second).curves] == [
        "default, epochs 1, seed 0",
        "plain, epochs 3, seed 1",
    ]
    labels = [each["aria-label"] or "" for each in page.all("svg") if each.get("role") == "img"]
    assert "Validation accuracy by epoch: A ends at 95.00%; B ends at 91.00%" in labels
    assert "epoch 2" in page.texts["curves"]
    bare = [replace(trained(n, 0.9), curve=(), epochs=()) for n in (0, 1)]
    assert "curves" not in Page(html.page(compare(*bare))).texts
