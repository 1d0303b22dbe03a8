"""Every report says how many models were compared on the test images."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks import check_store, run_store
from mnist_tasks.look_counts import Looks
from mnist_tasks.reporting import comparison, files, html, looks_text, markdown
from mnist_tasks.reporting.terminal import runs as run_tables
from tests import examples
from tests.reporting.terminal.test_results import show

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.records import RunRecord

LOOKS = Looks(models=17, recipes=3, from_elsewhere=0, images=10_000, flattery_points=0.158)
SAID = "3 models of 2 recipes were evaluated on these 100 test images. The best of 3 equally good "


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"models": 1}, ""),
        ({}, "17 models of 3 recipes were evaluated on these 10,000 test images. "),
        ({"recipes": 1}, "17 models of 1 recipe were "),
        ({"from_elsewhere": 2}, "17 models, of 3 recipes and 2 from elsewhere, were "),
        ({"recipes": 0, "from_elsewhere": 17}, "17 models were "),
        ({}, "The best of 17 equally good models is expected to look at most 0.16 points better "),
    ],
)
def test_the_sentences(changes: dict[str, int], said: str) -> None:
    found = looks_text.sentences(replace(LOOKS, **changes))
    assert said in found
    assert bool(said) == bool(found)


def test_without_wrong_images_nothing_is_said_of_the_best() -> None:
    found = looks_text.sentences(replace(LOOKS, flattery_points=0.001))
    assert found == "17 models of 3 recipes were evaluated on these 10,000 test images."


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with three checked runs of two recipes."""
    folder = tmp_path / "runs"
    for number, name in enumerate(["default", "default", "other"]):
        model = replace(examples.MODEL, sha256=hashlib.sha256(bytes([number])).hexdigest())
        record: RunRecord = replace(examples.run(number), model=model, recipe={"name": name})
        run_store.save(record, folder)
        check_store.attach(replace(examples.check(), model=model), folder)
    return folder


@pytest.mark.parametrize("names", [(), ("20261122-120000", "20261122-120001")])
def test_the_report_of_runs_says_so(runs: Path, names: tuple[str, ...]) -> None:
    shown = comparison.view(names, runs)
    texts = [show(run_tables.report(shown)), markdown.report(shown), html.page(shown)]
    assert [SAID in " ".join(text.split()) for text in texts] == [True] * 3
    found = files.report_document(shown, files.ReportFiles()).looks
    assert found
    assert (found.models, found.recipes) == (3, 2)
    # Of 91 of 102 images: 3.10 points, times 0.846.
    assert round(found.flattery_points, 2) == 2.63


def test_a_run_that_was_not_checked_has_no_looks(runs: Path) -> None:
    run_store.save(examples.run(4), runs)
    shown = comparison.view((), runs)
    assert files.report_document(shown, files.ReportFiles()).looks is None
    assert "models" not in show(run_tables.report(shown))
