"""The charts of a sweep: its runs, means and intervals, and the Pareto front of its settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mnist_tasks.reporting.figures import sweep_charts
from mnist_tasks.sweeping import ranking
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.sweeping.ranking import Rank
from mnist_tasks.sweeping.search_space import Setting, grid
from tests.sweeping import runs

SETTINGS = (*grid(["default"], {"max_shift": [0, 1]}), Setting(recipe="plain"))
CORRECT = {"default max_shift=0": 930, "default max_shift=1": 960, "plain": 900}
RECORDS = [
    replace(
        runs.record(job, CORRECT[job.setting.name] + job.config.seed),
        seconds={"fit": CORRECT[job.setting.name] / 100},
    )
    for job in Plan(settings=SETTINGS, seeds=(0, 1, 2)).jobs(Path("x"))
]
RANKING = ranking.rank(RECORDS)
RUNS = {setting.name: found for setting, found in ranking.by_setting(RECORDS).items()}


def test_each_run_is_a_circle_above_the_place_of_its_setting() -> None:
    chart = sweep_charts.by_setting(RANKING, RUNS, "validation")
    assert chart is not None
    found = sorted((mark.x, mark.y) for mark in chart.marks if mark.kind == "run")
    values = (0.96, 0.961, 0.962, 0.93, 0.931, 0.932, 0.9, 0.901, 0.902)
    assert found == [(1 + n // 3, value) for n, value in enumerate(values)]
    means = [mark for mark in chart.marks if mark.kind == "this"]
    assert [mark.x for mark in means] == [1, 2, 3]
    assert all(
        mark.interval is not None and mark.interval[0] < mark.y < mark.interval[1] for mark in means
    )
    assert [label for _, label in chart.x.ticks] == ["1", "2", "3"]
    low = min(mark.interval[0] for mark in means if mark.interval)
    assert chart.y.low <= low
    assert "default max_shift=1: 96.10% (95% interval 95.85–96.35%)" in chart.description


def test_many_settings_share_the_ticks() -> None:
    many = [replace(RANKING[0], name=f"{n}") for n in range(30)]
    chart = sweep_charts.by_setting(many, {f"{n}": [] for n in range(30)}, "test")
    assert chart is not None
    assert len(chart.marks) == sweep_charts.MOST_SETTINGS
    assert len(chart.x.ticks) == 10


def test_the_front_is_that_of_the_means_by_their_cost() -> None:
    chart = sweep_charts.by_seconds(RANKING, "validation")
    assert chart is not None
    assert {mark.x for mark in chart.marks} == {9.6, 9.3, 9.0}
    assert chart.description.endswith(
        "Pareto front: plain, default max_shift=0, default max_shift=1"
    )
    worse = replace(RANKING[2], fit_seconds=20.0)
    found = sweep_charts.by_seconds([*RANKING[:2], worse], "validation")
    assert found is not None
    assert [mark.x for mark in found.marks if "best" not in mark.kind] == [20.0]


def test_of_very_many_settings_the_first_and_the_front_are_drawn() -> None:
    slow = [replace(RANKING[0], fit_seconds=2.0 + n) for n in range(sweep_charts.MOST_MEANS + 100)]
    found = sweep_charts.by_seconds([*slow, replace(RANKING[2], fit_seconds=1.0)], "validation")
    assert found is not None
    assert len(found.marks) == sweep_charts.MOST_MEANS + 1
    assert min(mark.x for mark in found.marks) == 1


def test_settings_of_the_same_cost_have_no_chart_of_it() -> None:
    assert sweep_charts.by_parameters(RANKING, "validation") is None
    assert sweep_charts.by_seconds(RANKING[:1], "validation") is None


def test_the_settings_are_named_or_numbered_beside_their_means() -> None:
    def labels(ranking: list[Rank]) -> list[str]:
        found = sweep_charts.by_seconds(ranking, "test")
        assert found
        return [mark.label for mark in sorted(found.marks, key=lambda mark: mark.x)]

    ranking = [
        replace(RANKING[0], name=name, fit_seconds=float(seconds))
        for seconds, name in enumerate(["a", "b", "c"])
    ]
    assert labels(ranking) == ["b", "c"]  # without a time, there is no mean
    ranking[2] = replace(ranking[2], name="default batch_size=32")
    assert labels(ranking) == ["2", "3"]
    many = [replace(RANKING[0], fit_seconds=2.0 + n) for n in range(sweep_charts.MOST_LABELS + 1)]
    assert set(labels(many)) == {""}
