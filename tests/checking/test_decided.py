"""Clauses that can't fail, or that no model can pass, are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.checking import decided
from mnist_tasks.checking.checker import Checker
from mnist_tasks.checking.contract import Baseline, Contract, Noise, Perturbed
from mnist_tasks.data.store import LabeledImages

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = np.array([*range(10), 3] * 20, "uint8")  # 40 of 220 images show a 3


def find(labels: NDArray[np.uint8] = LABELS, **contract: Any) -> list[tuple[str, str, str]]:
    images = np.zeros((len(labels), 28, 28), "uint8")
    gate = Checker(contract=Contract(**contract), data=LabeledImages(images=images, labels=labels))
    return [(each.name, each.outcome, each.reason) for each in decided.find(gate)]


def test_the_default_contract_has_no_such_clause() -> None:
    assert find() == []


@pytest.mark.parametrize(
    "contract",
    [
        {"worst_recall_above": 0.0},  # a forgotten class fails it
        {"accuracy_above": 0.2, "confidence": 0.9},
        {"accuracy_above": 0.95, "accuracy_below": 0.98},
        {"calibration_error_below": 0.8, "latency_below_ms": 1000.0, "bytes_below": 1},
    ],
)
def test_clauses_that_decide_are_not_named(contract: dict[str, Any]) -> None:
    assert find(**contract) == []


def test_an_accuracy_that_a_constant_prediction_has_can_not_fail() -> None:
    noise = Noise(sigma=0.1, accuracy_above=0.18)
    found = find(accuracy_above=0.18, perturbed=Perturbed(noise=noise))
    reason = "a model that is sure of class 3 for every image passes: 18.18%"
    assert found == [
        ("test accuracy", "passed", reason),
        ("accuracy with noise of 0.1", "passed", reason),
    ]
    assert find(accuracy_above=0.19) == []
    # An interval that contains the bound is no pass.
    assert find(accuracy_above=0.18, confidence=0.9) == []


def test_a_calibration_error_that_the_worst_model_has_can_not_fail() -> None:
    (found,) = find(calibration_error_below=0.9)
    assert found[:2] == ("calibration error", "passed")
    assert find(calibration_error_below=0.8) == []


def test_a_latency_above_what_can_be_measured_can_not_fail() -> None:
    (found,) = find(latency_below_ms=1501.0)
    assert found[:2] == ("latency", "passed")
    assert found[2] == "a model as slow as that exceeds the time limit before it is measured"


def test_a_bound_that_takes_more_images_can_not_be_passed() -> None:
    ((name, outcome, reason),) = find(accuracy_above=0.98, confidence=0.99)
    assert (name, outcome) == ("test accuracy", "not passed")
    assert reason == "a model without errors does not on 220 images; that takes 326"
    assert find(np.resize(LABELS, 325), accuracy_above=0.98, confidence=0.99)
    assert not find(np.resize(LABELS, 326), accuracy_above=0.98, confidence=0.99)

    ((name, _, reason),) = find(worst_recall_above=0.9, confidence=0.99, accuracy_above=0.5)
    assert name == "worst recall"
    assert reason == "a model without errors does not on 20 images; that takes 60"


def test_the_recall_of_a_class_without_images_can_not_be_passed() -> None:
    ((name, outcome, reason),) = find(LABELS[LABELS != 7], worst_recall_above=0.5)
    assert (name, outcome) == ("worst recall", "not passed")
    assert "no image of class 7" in reason


def test_a_ceiling_below_what_the_floor_lets_through_can_not_be_passed() -> None:
    # On 220 images, no accuracy is between these bounds.
    ((name, outcome, reason),) = find(accuracy_above=0.991, accuracy_below=0.995)
    assert (name, outcome) == ("accuracy ceiling", "not passed")
    assert reason == "a model must get at least 2 wrong, and for test accuracy at most 1"


@pytest.mark.parametrize(
    ("errors", "tolerance", "confidence", "expected"),
    [
        (10, 0.0, 0.99, []),
        (3, 0.0, None, []),
        (3, 0.0, 0.99, [("baseline", "not passed")]),  # too few to be shown to be better
        (10, 99.0, None, [("baseline", "passed")]),
    ],
)
def test_a_baseline_that_no_model_is_shown_to_beat_is_named(
    monkeypatch: pytest.MonkeyPatch,
    errors: int,
    tolerance: float,
    confidence: float | None,
    expected: list[tuple[str, str]],
) -> None:
    predicted = np.eye(10, dtype="float32")[LABELS]
    predicted[:errors] = predicted[:errors, ::-1]
    monkeypatch.setattr("mnist_tasks.checking.baselines.predict", lambda *_: predicted)
    baseline = Baseline(model="released.h5", tolerance_points=tolerance)
    found = find(baseline=baseline, accuracy_above=0.5, confidence=confidence)
    assert [each[:2] for each in found] == expected
