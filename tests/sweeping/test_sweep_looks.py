"""A sweep on the test images counts its models; one on validation images doesn't."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from mnist_tasks import check_store, looks
from mnist_tasks.data import datasets
from mnist_tasks.reporting import comparison, files, html, markdown
from mnist_tasks.reporting.terminal import runs as run_tables
from mnist_tasks.reporting.terminal import sweep as tables
from mnist_tasks.sweeping import sweep
from mnist_tasks.sweeping.events import Finished
from mnist_tasks.sweeping.job import Result
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.sweeping.search_space import grid
from tests import examples
from tests.reporting.terminal.test_results import show
from tests.sweeping import runs

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from mnist_tasks.sweeping.events import Event
    from mnist_tasks.sweeping.plan import Job
    from mnist_tasks.sweeping.summary import Sweep

PLAN = Plan(settings=grid(["default"], {"max_shift": [0, 1]}), seeds=(0, 1, 2), evaluated_on="test")
SAID = "6 models of 2 recipes were evaluated on these 1,000 test images. The best of 6 equally "


def swept(folder: Path, plan: Plan = PLAN, stop_after: int = 100) -> Sweep:
    """Run a sweep in which each run has a model of its own."""

    def execute(jobs: Sequence[Job], _: Path) -> Generator[Event]:
        for number, job in enumerate(jobs):
            if number == stop_after:
                raise KeyboardInterrupt
            content = job.id.encode()
            record = runs.record(job)
            model = replace(record.model, sha256=hashlib.sha256(content).hexdigest())
            recipe = {"name": "default", **dict(job.setting.values)}
            record = replace(record, model=model, recipe=recipe)
            yield Finished(job=job, outcome=Result(record=record, model=content))

    return sweep.run(plan, folder / "s", execute, progress=runs.Quiet(), runs=folder / "runs")


def test_a_sweep_on_the_test_images_counts_its_models(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt):
        swept(tmp_path, stop_after=2)
    (tmp_path / "runs" / looks.FILE_NAME).rename(tmp_path / "kept")
    found = swept(tmp_path)  # two of the runs are from before
    assert found.looks
    assert (found.looks.models, found.looks.recipes) == (6, 2)
    assert SAID in " ".join(show(tables.sweep_result(found)).split())
    images, _ = datasets.MNIST.test
    ledger = looks.read(tmp_path / "runs")
    assert {each.images for each in ledger} == {images.sha256}
    assert len(ledger) == 6
    # An interrupted sweep has counted the models that it evaluated.
    assert len((tmp_path / "kept").read_text().splitlines()) == 2


def test_its_report_says_so_even_without_the_ledger(tmp_path: Path) -> None:
    swept(tmp_path)
    for number in range(2):
        shown = comparison.view([str(tmp_path / "s")], tmp_path / "runs")
        texts = [show(run_tables.report(shown)), markdown.report(shown), html.page(shown)]
        assert [SAID in " ".join(text.split()) for text in texts] == [True] * 3
        if not number:
            (tmp_path / "runs" / looks.FILE_NAME).unlink()
    # Other models were checked on the same images.
    images, _ = datasets.MNIST.test
    check_store.attach(replace(examples.check(), test_images=images.sha256), tmp_path / "runs")
    shown = comparison.view([str(tmp_path / "s")], tmp_path / "runs")
    document = files.report_document(shown, files.ReportFiles())
    assert document.looks
    assert (document.looks.models, document.looks.from_elsewhere) == (7, 1)


def test_a_sweep_on_validation_images_counts_nothing(tmp_path: Path) -> None:
    found = swept(tmp_path, replace(PLAN, evaluated_on="validation"))
    assert found.looks is None
    assert not (tmp_path / "runs").exists()
    shown = comparison.view([str(tmp_path / "s")], tmp_path / "runs")
    assert "were evaluated" not in markdown.report(shown)
