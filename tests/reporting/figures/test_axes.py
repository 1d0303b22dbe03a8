"""Where a value lies along an axis."""

from __future__ import annotations

from typing import Any

import pytest

from mnist_tasks.reporting.figures import axes

ENDS: dict[str, Any] = {"start": 10.0, "end": 110.0}


def test_a_linear_axis_ends_on_round_values() -> None:
    axis = axes.linear("x", 0, 930, **ENDS)
    assert [label for _, label in axis.ticks] == ["0", "200", "400", "600", "800", "1,000"]
    assert (axis.at(0), axis.at(500), axis.at(1000)) == (10, 60, 110)


def test_a_tight_axis_ends_with_its_data() -> None:
    axis = axes.linear("x", 0, 625, tight=True, **ENDS)
    assert axis.at(625) == 110
    assert [value for value, _ in axis.ticks] == [0, 200, 400, 600]


def test_a_logarithmic_axis_goes_by_ratios() -> None:
    axis = axes.logarithmic("x", 0.012, 0.9, **ENDS)
    assert (axis.low, axis.high) == (0.01, 1)
    assert axis.at(0.1) == 60
    assert [label for _, label in axis.ticks] == ["0.01", "0.05", "0.1", "0.5", "1"]


def test_half_the_errors_are_always_one_step() -> None:
    axis = axes.accuracy("x", 0.6, 0.985, **ENDS)
    assert (axis.low, axis.high) == (0.5, 0.99)
    steps = [axis.at(1 - errors) for errors in (0.4, 0.2, 0.1, 0.05)]
    assert steps[1] - steps[0] == pytest.approx(steps[3] - steps[2], abs=0.2)
    assert axis.ticks[-1] == (0.99, "99%")


def test_what_is_beyond_an_axis_lies_at_its_end() -> None:
    axis = axes.linear("x", 0, 10, **ENDS)
    assert (axis.at(-5), axis.at(50)) == (10, 110)


@pytest.mark.parametrize("value", [0.0, 1.0, 5.0, 1e-12, 1e12])
def test_a_single_value_still_has_an_axis(value: float) -> None:
    for make in (axes.linear, axes.logarithmic):
        if value or make is axes.linear:
            axis = make("x", value, value, **ENDS)
            assert 10 <= axis.at(value) <= 110
            assert 1 <= len(axis.ticks) <= 8


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (0.1, 0.1), (0.99999, 0.99999), (0, 0.9999)])
def test_an_axis_of_accuracies_has_few_marks(low: float, high: float) -> None:
    axis = axes.accuracy("x", low, high, **ENDS)
    assert 10 <= axis.at(low) <= axis.at(high) <= 110
    assert 2 <= len(axis.ticks) <= axes.MOST_TICKS + 1
