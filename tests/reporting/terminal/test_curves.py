"""Curves of braille dots."""

from __future__ import annotations

import pytest
from rich.console import Console

from mnist_tasks.reporting.terminal import curves
from mnist_tasks.reporting.terminal.curves import Curve


def dots(lines: list[str]) -> list[tuple[int, int]]:
    """Return the column of every dot, and its row from the bottom."""
    return sorted(
        (2 * x + side, 4 * (len(lines) - 1 - y) + row)
        for y, line in enumerate(lines)
        for x, character in enumerate(line)
        for side in (0, 1)
        for row in range(4)
        if (ord(character) - curves.BLANK) & curves.DOTS[side][row]
    )


def test_each_value_is_a_dot_at_its_height() -> None:
    lines = curves.braille([0, 3, 1, 7], width=3, height=2)
    assert [len(line) for line in lines] == [3, 3]
    assert dots(lines) == [(0, 0), (1, 3), (2, 1), (3, 7)]


def test_more_values_than_columns_keep_their_ends() -> None:
    found = dots(curves.braille(list(range(1000)), width=8, height=4))
    assert [column for column, _ in found] == list(range(16))
    assert (found[0], found[-1]) == ((0, 0), (15, 15))


@pytest.mark.parametrize("values", [[], [5.0], [5.0, 5.0]])
def test_a_constant_curve_is_at_the_bottom(values: list[float]) -> None:
    assert dots(curves.braille(values, width=4, height=2)) == [(i, 0) for i in range(len(values))]


def test_values_that_are_not_finite_leave_a_gap() -> None:
    values = [0.0, float("nan"), 3.0, float("inf")]
    assert dots(curves.braille(values, width=2, height=1)) == [(0, 0), (2, 3)]


def test_curves_share_the_width_of_the_terminal() -> None:
    loss, accuracy = Curve("loss", "{:.4f}"), Curve("accuracy", "{:.2%}")
    loss.values += [2.0, 1.0]
    console = Console(width=80)
    with console.capture() as captured:
        console.print(curves.side_by_side(loss, accuracy))
    lines = captured.get().splitlines()
    assert {len(line) for line in lines} == {80}
    assert "loss 1.0000" in lines[0]
    assert "accuracy –" in lines[0]
