"""Drops that a clause detects, and numbers of images, compared with simulated checks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import stats
from mnist_tasks.checking import metrics, paired_test
from mnist_tasks.checking.contract import Baseline, Contract, Perturbed, Shift
from mnist_tasks.checking.proportions import ProportionBound
from mnist_tasks.sweeping import clause_power, power, slacks
from mnist_tasks.sweeping.power import Slack
from mnist_tasks.sweeping.slacks import Evaluated

if TYPE_CHECKING:
    from mnist_tasks.sweeping.slacks import Correct

IMAGES, RUNS = 10_000, 10
SLACK = Slack(runs=RUNS, images=IMAGES, correct=9900, mean=40, deviation=5, churn=20)
RANDOM = np.random.default_rng


def with_counts(counts: np.ndarray) -> Correct:
    """Return which of all images some runs classified correctly, from their numbers."""
    return np.arange(IMAGES) < counts[:, None]


def evaluated(correct: Correct, *, classes: int = 1, **other: Correct) -> Evaluated:
    labels = (np.arange(correct.shape[1]) % classes).astype("uint8")
    return Evaluated(labels=labels, correct={"test": correct, **other})


@pytest.mark.parametrize(
    ("probability", "tolerance", "confidence"),
    [(0.5, 0.05, None), (0.9, 0.03, None), (0.9, 0.03, 0.99), (0.99, 0.01, None)],
)
def test_a_worse_run_fails_as_often_as_predicted(
    probability: float, tolerance: float, confidence: float | None
) -> None:
    random, rounds, deviation = RANDOM(1), 30, 5
    contract = Contract(accuracy_above=0.984, confidence=confidence)
    bound = ProportionBound(bound=0.984, confidence=confidence)
    fails = np.array([
        bound.evaluate("", correct=number, images=IMAGES).status != "passed"
        for number in range(9700, IMAGES + 1)
    ])  # fmt: skip
    alarms = []
    for _ in range(rounds):
        seen = random.normal(9900, deviation, RUNS).round()
        (clause,) = slacks.of_contract(contract, evaluated(with_counts(seen)), {})
        (slack,) = clause.slacks
        assert slack is not None
        drop = power.detected_drop(slack, probability)
        assert drop is not None
        good = random.normal(9900, deviation, 2000).round().astype(int)
        worse = good - random.binomial(good, drop * IMAGES / slack.correct)
        alarms.append(fails[worse - 9700].mean())
    assert np.mean(alarms) == pytest.approx(probability, abs=tolerance)


@pytest.mark.parametrize("confidence", [None, 0.95])
@pytest.mark.parametrize("tolerance_points", [0.0, 1.0])
def test_a_run_that_is_worse_than_a_baseline_fails_as_often_as_predicted(
    confidence: float | None, tolerance_points: float
) -> None:
    random, images = RANDOM(2), 2000
    chance = np.where(np.arange(images) < 100, 0.6, 1.0)  # some hard images
    before = np.arange(images) % 20 != 0  # clearly worse than the runs
    terms = Baseline(model="a.h5", tolerance_points=tolerance_points)
    contract = Contract(baseline=terms, confidence=confidence)
    alarms = []
    for _ in range(15):
        seen = random.random((RUNS, images)) < chance
        runs = replace(evaluated(seen), baseline=before)
        slack = list(slacks.of_contract(contract, runs, {}))[-1].slacks[0]
        assert slack is not None
        drop = power.detected_drop(slack, 0.9)
        assert drop is not None
        for _ in range(30):
            good = random.random(images) < chance
            worse = good & (random.random(images) >= drop * images / slack.correct)
            paired = metrics.compare(worse, before)
            found = paired_test.evaluate(terms, paired, confidence=confidence, reason="")
            alarms.append(found.status != "passed")
    assert np.mean(alarms) == pytest.approx(0.9, abs=0.045)


def test_on_as_many_images_as_needed_the_drop_is_detected_as_often() -> None:
    random, rate, drop = RANDOM(3), 0.05, 0.004
    # A hundredth of the images is hard, and runs don't differ in anything else.
    slack = replace(SLACK, churn=IMAGES * 0.01 / 4, deviation=(IMAGES * 0.01 / 4) ** 0.5)
    slack = replace(slack, correct=IMAGES * 0.995)
    images = power.images_needed(slack, drop, 0.9, target_rate=rate)
    assert images is not None
    assert 2000 < images < 8000
    rounds = 20_000
    counts = images * 0.99 + random.binomial(round(images * 0.01), 0.5, (rounds, RUNS + 2))
    scale = counts[:, :RUNS].std(axis=1, ddof=1) * (1 + 1 / RUNS) ** 0.5
    reach = stats.student_quantile(1 - 2 * rate, RUNS - 1)
    bound = counts[:, :RUNS].mean(axis=1) - reach * scale
    good, before = counts[:, -2], counts[:, -1]
    worse = before - random.binomial(before.round().astype(int), drop / 0.995)
    assert (good <= bound).mean() == pytest.approx(rate, abs=0.02)
    assert (worse <= bound).mean() == pytest.approx(0.9, abs=0.02)


def test_no_number_of_images_makes_up_for_runs_that_differ() -> None:
    differ = replace(SLACK, deviation=20, churn=25)  # mostly in how good they are
    assert power.images_needed(differ, 0.003, 0.9, target_rate=0.01) is None
    assert power.images_needed(differ, 0.02, 0.9, target_rate=0.01) is not None
    alike = replace(SLACK, deviation=20, churn=400)
    assert power.images_needed(alike, 0.003, 0.9, target_rate=0.01) is not None


def test_no_number_of_images_makes_a_tolerated_drop_fail() -> None:
    tolerant = replace(SLACK, tolerance=0.002, mean=60)
    assert power.images_needed(tolerant, 0.0015, 0.9, target_rate=0.01) is None
    needed = power.images_needed(tolerant, 0.003, 0.9, target_rate=0.01)
    assert needed is not None
    assert needed > IMAGES


def test_independent_errors_of_the_runs_are_told_from_better_and_worse_runs() -> None:
    random = RANDOM(4)
    chance = np.where(np.arange(IMAGES) < 200, 0.6, 1.0)
    independent = random.random((30, IMAGES)) < chance
    (clause,) = slacks.of_contract(Contract(), evaluated(independent), {})
    (alike,) = clause.slacks
    # Here, each run gets either all of a hundred images right or none.
    whole = independent | True
    whole[::2, :100] = False
    (clause,) = slacks.of_contract(Contract(), evaluated(whole), {})
    (differ,) = clause.slacks
    assert alike is not None
    assert differ is not None
    assert alike.churn == pytest.approx(200 * 0.6 * 0.4, rel=0.05)
    assert alike.deviation**2 == pytest.approx(alike.churn, rel=0.5)
    assert differ.churn < differ.deviation**2 / 50


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.004, 0.3, 0.9, 0.99])
def test_a_detection_is_a_mean_over_the_binomial_distribution(share: float) -> None:
    random = RANDOM(5)
    lost = random.binomial(9900, share / 0.99, 4000)
    expected = np.mean([SLACK.below(each) for each in lost])
    assert power.detection(SLACK, share) == pytest.approx(expected, abs=0.02)


def test_a_drop_that_is_never_detected_has_no_size() -> None:
    everything = replace(SLACK, mean=9950)
    assert power.detected_drop(everything, 0.9) is None
    assert power.detected_drop(replace(SLACK, correct=0), 0.9) is None
    # More than half of the good runs fail already.
    assert power.detected_drop(replace(SLACK, mean=-3), 0.5) == 0


def test_a_drop_of_the_worst_recall_is_one_in_any_class() -> None:
    random = RANDOM(6)
    contract = Contract(worst_recall_above=0.9)
    runs = evaluated(random.random((RUNS, 2000)) < 0.97, classes=4)
    runs.correct["test"][:, runs.labels == 2] = random.random((RUNS, 500)) < 0.99
    _, recall = slacks.of_contract(contract, runs, {})
    by_class = [power.detected_drop(each, 0.9) for each in recall.slacks if each]
    assert len(by_class) == 4
    *_, found, whole = clause_power.estimate(contract, runs, {}, target_rate=0.01)
    assert found.name == "worst recall"
    # Class 2 has most to lose.
    assert found.drop_90 == by_class[2] == max(each for each in by_class if each)
    assert whole.name == "the contract"
    assert whole.drop_90 != found.drop_90  # which is one of a class


def test_each_clause_has_its_own_bound_and_the_suggested_one() -> None:
    random = RANDOM(7)
    correct, shifted = (random.random((RUNS, 2000)) < share for share in (0.98, 0.95))
    shift = Shift(pixels=2, accuracy_above=0.9)
    contract = Contract(accuracy_above=0.9, perturbed=Perturbed(shift=shift))
    found = clause_power.estimate(
        contract, evaluated(correct, shift=shifted), {"test accuracy": 0.972}, target_rate=0.01
    )
    assert [(each.name, each.bound, each.is_suggested) for each in found] == [
        ("test accuracy", "> 90.00%", False),
        ("test accuracy", "> 97.20%", True),
        ("accuracy shifted by 2 px", "> 90.00%", False),
        ("the contract", "", False),
    ]
    ours, suggested, perturbed, whole = found
    for each in found:
        assert each.drop_50 is not None
        assert each.drop_90 is not None
        assert each.drop_99 is not None
        assert each.drop_50 < each.drop_90 < each.drop_99
    assert ours.drop_50 == pytest.approx(0.08, abs=0.01)  # 98% less the bound
    assert suggested.drop_50 == pytest.approx(0.008, abs=0.004)
    assert perturbed.drop_50 == pytest.approx(0.05, abs=0.01)
    assert whole.drop_90 == ours.drop_90
    # A bound that is far off needs few images for half of its drop; a close one needs more.
    assert ours.images_for_half is not None
    assert suggested.images_for_half is not None
    assert ours.images_for_half < 2000 < suggested.images_for_half
    assert all(each.images_for_half == float(f"{each.images_for_half:.1e}") for each in found)


def test_nothing_is_said_without_a_difference_between_runs_or_a_model_that_passes() -> None:
    same = np.ones((3, 200), bool)
    single = RANDOM(8).random((1, 200)) < 0.9
    for correct in (same, single):
        assert not clause_power.estimate(Contract(), evaluated(correct), {}, target_rate=0.01)
    too_few = Contract(accuracy_above=0.99, confidence=0.99)
    several = evaluated(RANDOM(8).random((3, 200)) < 0.9)
    assert not clause_power.estimate(too_few, several, {}, target_rate=0.01)
