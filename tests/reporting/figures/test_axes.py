"""The position of a value along an axis."""

from __future__ import annotations

import pytest

from mnist_tasks.reporting.figures import axes


def test_a_linear_axis_ends_on_round_values() -> None:
    axis = axes.linear("x", 0, 930)
    assert [label for _, label in axis.ticks] == ["0", "200", "400", "600", "800", "1,000"]
    assert (axis.share(0), axis.share(500), axis.share(1000)) == (0, 0.5, 1)


def test_a_tight_axis_ends_with_its_data() -> None:
    axis = axes.linear("x", 0, 625, tight=True)
    assert axis.share(625) == 1
    assert [value for value, _ in axis.ticks] == [0, 200, 400, 600]


def test_a_logarithmic_axis_has_equal_ratios() -> None:
    axis = axes.logarithmic("x", 0.012, 0.9)
    assert (axis.low, axis.high) == (0.01, 1)
    assert axis.share(0.1) == pytest.approx(0.5)
    assert [label for _, label in axis.ticks] == ["0.01", "0.05", "0.1", "0.5", "1"]


def test_halving_the_errors_is_always_one_step() -> None:
    axis = axes.accuracy("x", 0.6, 0.985)
    assert (axis.low, axis.high) == (0.5, 0.99)
    steps = [axis.share(1 - errors) for errors in (0.4, 0.2, 0.1, 0.05)]
    assert steps[1] - steps[0] == pytest.approx(steps[3] - steps[2])
    assert axis.ticks[-1] == (0.99, "99%")


def test_values_outside_an_axis_are_clipped() -> None:
    axis = axes.linear("x", 0, 10)
    assert (axis.share(-5), axis.share(50)) == (0, 1)


@pytest.mark.parametrize("value", [0.0, 1.0, 5.0, 1e-12, 1e12])
def test_a_single_value_still_has_an_axis(value: float) -> None:
    for make in (axes.linear, axes.logarithmic):
        if value or make is axes.linear:
            axis = make("x", value, value)
            assert 0 <= axis.share(value) <= 1
            assert 1 <= len(axis.ticks) <= 8


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (0.1, 0.1), (0.99999, 0.99999), (0, 0.9999)])
def test_an_axis_for_accuracies_has_few_ticks(low: float, high: float) -> None:
    axis = axes.accuracy("x", low, high)
    assert 0 <= axis.share(low) <= axis.share(high) <= 1
    assert 2 <= len(axis.ticks) <= axes.MOST_TICKS + 1


def test_an_axis_says_if_it_is_not_linear() -> None:
    assert axes.linear("x", 0, 1).label == "x"
    assert axes.logarithmic("x", 1, 9).label == "x, log scale"
    assert axes.accuracy("x", 0.9, 0.99).label == "x, log scale of the errors"


def test_accuracies_that_are_close_have_a_linear_axis() -> None:
    near = axes.close_accuracy("x", 0.9847, 0.9897)
    assert [label for _, label in near.ticks] == [
        *("98.4%", "98.5%", "98.6%", "98.7%", "98.8%", "98.9%", "99%")
    ]
    assert axes.close_accuracy("x", 0.5, 0.99).ticks == axes.accuracy("x", 0.5, 0.99).ticks
    same = axes.close_accuracy("x", 1, 1)
    assert same.share(1) == 1
    assert same.ticks[-1] == (1, "100%")


@pytest.mark.parametrize(
    ("last", "labels"),
    [
        (1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (2, ["0", "1", "2"]),
        (12, ["0", "3", "6", "9", "12"]),
        (1000, ["0", "200", "400", "600", "800", "1,000"]),
    ],
)
def test_epochs_are_whole_numbers(last: float, labels: list[str]) -> None:
    axis = axes.epochs(last)
    assert [label for _, label in axis.ticks] == labels
    assert axis.share(last) == 1


def test_losses_that_are_close_have_a_linear_axis() -> None:
    assert axes.loss("nats", 0.02, 0.05).label == "nats"
    assert axes.loss("nats", 0.02, 0.5).label == f"nats, {axes.LOGARITHMIC}"
