"""The learning rate goes up and down once, and the average starts late."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_tasks.training import recipes, schedule

RECIPE = replace(
    recipes.DEFAULT,
    learning_rate=2.0,
    warmup=0.25,
    final=0.5,
    average=0.9,
    average_from=0.6,
)


def test_the_rate_climbs_to_its_peak_and_falls_to_its_share() -> None:
    rates = schedule.learning_rates(RECIPE, 1000)
    assert rates.dtype == np.float32
    assert rates.argmax() in (249, 250)
    assert rates.max() == pytest.approx(2.0, abs=0.01)
    assert rates[0] == pytest.approx(0.004)
    assert rates[-1] == pytest.approx(1.0, abs=0.01)
    assert (np.diff(rates[:249]) > 0).all()
    assert (np.diff(rates[250:]) < 0).all()


def test_without_warmup_and_fall_the_rate_is_constant() -> None:
    rates = schedule.learning_rates(recipes.PLAIN, 10)
    assert rates == pytest.approx(np.full(10, 0.01))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_short_training_has_rates_above_zero(steps: int) -> None:
    rates = schedule.learning_rates(RECIPE, steps)
    assert len(rates) == steps
    assert (rates > 0).all()


def test_the_average_begins_where_the_recipe_says() -> None:
    kept = schedule.averaging(RECIPE, 10)
    assert kept == pytest.approx([0] * 6 + [0.9] * 4)
