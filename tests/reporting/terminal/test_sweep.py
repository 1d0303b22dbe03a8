"""The tables of a sweep."""

from __future__ import annotations

from pathlib import Path

from mnist_tasks.reporting.terminal import results
from mnist_tasks.reporting.terminal import sweep as sweep_tables
from mnist_tasks.sweeping import ranking
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.sweeping.search_space import Setting
from mnist_tasks.sweeping.summary import FailedRun, Sweep
from tests.reporting.terminal.test_results import show
from tests.sweeping import runs

JOBS = Plan(seeds=(0, 1, 2)).jobs(Path("x"))


def sweep(*, done: int = 2, failed: int = 1) -> Sweep:
    records = [runs.record(job, 900 + 10 * job.config.seed) for job in JOBS[:done]]
    return Sweep(
        folder="sweeps/[b]x",
        evaluated_on="validation",
        images=10_000,
        runs=done + failed,
        done=done,
        kept=1,
        failed=(
            FailedRun(id="x", setting="default", seed=7, failure=runs.FAILED.failure, exit_code=4),
        )
        * failed,
        ranking=ranking.rank(records),
    )


def test_a_run_of_a_sweep_shows_its_settings_and_accuracy() -> None:
    setting = Setting(values=(("batch_size", 20), ("ema_momentum", 0.5)))
    (job,) = Plan(settings=(setting,), seeds=(0,)).jobs(Path("x"))
    shown = show(results.trained(runs.record(job, 900)))
    assert "settings           batch_size=20 ema_momentum=0.5" in shown
    assert "in its sweep       90.00% of 1,000 validation images" in shown


def test_settings_have_deviation_and_interval() -> None:
    shown = show(sweep_tables.sweep_result(sweep()))
    assert "Accuracy on 10,000 validation images" in shown
    assert "1 default    2 90.50 ± 0.71% 84.15–96.85% 90.00%" in shown
    assert "failed: default, seed 7: it failed" in shown
    assert "2 of 3 runs done, 1 of them earlier: sweeps/[b]x" in shown


def test_a_single_run_has_neither() -> None:
    shown = show(sweep_tables.sweep_result(sweep(done=1, failed=0)))
    assert "90.00% –" in shown
    assert "1 of 1 run done" in shown


def test_there_is_no_table_if_all_runs_failed() -> None:
    shown = show(sweep_tables.sweep_result(sweep(done=0, failed=12)))
    assert "Accuracy" not in shown
    assert shown.count("failed: default") == 10
    assert "and 2 more that failed" in shown
