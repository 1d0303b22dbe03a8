"""Search for the strength of noise that costs a model a given accuracy."""

from collections.abc import Callable

import pytest

from mnist_tasks.vetting.execution.planting import find_strength
from mnist_tasks.vetting.protocol import TRIALS, Planting


def losing(lost: Callable[[float], float]) -> tuple[Callable[[float], int], list[float]]:
    """Return a model of which 9,900 images are correct without noise, and the strengths tried."""
    tried: list[float] = []

    def correct(strength: float) -> int:
        tried.append(strength)
        return max(1_000, 9_900 - round(lost(strength)))

    return correct, tried


@pytest.mark.parametrize("lost", [50, 100, 200])
@pytest.mark.parametrize("scale", [20, 500, 40_000])
@pytest.mark.parametrize("power", [1, 2, 4])
def test_the_loss_is_found_to_within_a_tenth(lost: int, scale: float, power: int) -> None:
    correct, tried = losing(lambda strength: scale * strength**power)
    strength = find_strength(correct, lost=lost)
    assert strength is not None
    assert abs(9_900 - correct(strength) - lost) <= lost / 10
    assert len(tried) <= TRIALS + 2


@pytest.mark.parametrize("before", [0, -3])
def test_of_a_few_images_a_single_one_is_lost(before: int) -> None:
    correct, _ = losing(lambda strength: before if strength < 3 else strength - 2)
    strength = find_strength(correct, lost=1)
    assert strength is not None
    assert correct(strength) == 9_899


def test_a_loss_that_noise_jumps_over_is_planted_as_the_next_larger_one() -> None:
    correct, _ = losing(lambda strength: 0 if strength < 0.3 else 5_000)
    strength = find_strength(correct, lost=50)
    assert strength is not None
    assert strength == pytest.approx(0.3, abs=0.01)
    assert correct(strength) == 4_900


def test_noise_that_costs_nothing_is_none() -> None:
    correct, tried = losing(lambda _: 0)
    assert find_strength(correct, lost=50) is None
    assert len(tried) == TRIALS + 1


def test_the_budget_counts_every_pass_over_the_images() -> None:
    """The sound model once more, each trial and the result for each loss; and inverted pixels."""
    assert Planting(labels=b"", losses=(0.1,)).passes == 1 + 1 + TRIALS + 1
    assert Planting(labels=b"", losses=(0.1, 0.2)).passes == 1 + 1 + 2 * (TRIALS + 1)
