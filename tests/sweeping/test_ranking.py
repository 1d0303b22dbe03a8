"""The ranking of settings, compared with a computation by hand."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import pytest

from mnist_tasks.sweeping import ranking, search_space
from mnist_tasks.sweeping.plan import Plan
from tests import examples
from tests.sweeping import runs


def test_a_spread_has_mean_deviation_and_interval() -> None:
    values = [0.98, 0.99, 0.97, 0.99]
    found = ranking.spread(values, "share")
    reach = 3.182 * statistics.stdev(values) / 2  # Student's t, three degrees of freedom
    assert found.mean == pytest.approx(0.9825)
    assert found.deviation == pytest.approx(statistics.stdev(values))
    assert found.low == pytest.approx(0.9825 - reach, abs=1e-5)
    assert found.high == pytest.approx(0.9825 + reach, abs=1e-5)
    assert (found.least, found.most) == (0.97, 0.99)


def test_the_interval_of_a_share_ends_at_0_and_1() -> None:
    low, high = 0.02, 0.32  # the interval of their mean is -1.74 to 2.08
    share = ranking.spread([low, high], "share")
    assert (share.low, share.high) == (0, 1)
    points = ranking.spread([low, high], "points")
    assert points.low == pytest.approx(-1.736, abs=0.001)
    assert points.high == pytest.approx(2.076, abs=0.001)
    far = ranking.spread([20.0, 90.0], "points")
    assert (far.low, far.high) == (-100, 100)
    milliseconds = ranking.spread([low, high], "ms")
    assert milliseconds.low == 0
    assert milliseconds.high == pytest.approx(2.076, abs=0.001)


def test_the_interval_of_a_ranked_accuracy_lies_between_0_and_1() -> None:
    jobs = Plan(seeds=(0, 1)).jobs(Path("x"))
    records = [runs.record(job, 20 + 300 * job.config.seed) for job in jobs]
    (found,) = ranking.rank(records)
    assert (found.accuracy.low, found.accuracy.high) == (0, 1)


def test_a_single_run_has_no_deviation() -> None:
    found = ranking.spread([0.5], "share")
    assert (found.deviation, found.low, found.high) == (None, None, None)


def test_equal_runs_have_an_interval_of_width_zero() -> None:
    found = ranking.spread([0.5, 0.5, 0.5], "share")
    assert (found.low, found.deviation, found.high) == (0.5, 0, 0.5)


def test_the_best_setting_comes_first() -> None:
    jobs = Plan(settings=search_space.grid(["default"], {"max_shift": (0, 1)}), seeds=(0, 1)).jobs(
        Path("x")
    )
    correct = {0: [900, 910], 1: [930, 950]}
    records = [
        runs.record(job, correct[int(dict(job.setting.values)["max_shift"])][job.config.seed])
        for job in jobs
    ]
    found = ranking.rank([*records, examples.run(1)])
    assert [each.name for each in found] == ["default max_shift=1", "default max_shift=0"]
    assert [each.runs for each in found] == [2, 2]
    assert [each.accuracy.mean for each in found] == pytest.approx([0.94, 0.905])
    assert found[0].settings == {"max_shift": 1}
    assert math.isclose(found[0].loss, 0.1)
