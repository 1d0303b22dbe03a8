"""The self-test of a contract on synthetic predictions: each fault, its status, and its remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_tasks.check_records import Layer
from mnist_tasks.checking import faults, self_test
from mnist_tasks.checking.checker import Checker
from mnist_tasks.checking.contract import Baseline, Contract, Noise, Perturbed
from mnist_tasks.checking.results import PlantedModel, SelfTest
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting.inspection import Inspection, PlantedPredictions
from mnist_tasks.vetting.protocol import Planting

COUNT = 2_000
LABELS = (np.arange(COUNT) * 7 % 10).astype(np.uint8)
LABELS[LABELS == 3] = np.where(np.arange((LABELS == 3).sum()) % 5, 3, 1)  # fewest 3s, most 1s
DATA = LabeledImages(images=np.zeros((COUNT, 28, 28), np.uint8), labels=LABELS)
GROSS = (
    "labels shuffled",
    "class 3 forgotten",
    "pixels inverted",
    "always class 1",
    "NaN predicted",
)


def predicting(wrong: int) -> faults.Predictions:
    """Return predictions of which the first are wrong: the class is the next one."""
    labels = np.where(np.arange(COUNT) < wrong, (LABELS + 1) % 10, LABELS)
    return (0.9 * np.eye(10)[labels] + 0.01).astype(np.float32)


def inspection(*sets: str, wrong: int = 20, inverted: int = 1_900) -> Inspection:
    """Return a model with so many errors, and with faults planted: 10, 20 and 40 errors more."""
    lost = [round(loss * COUNT) for loss in faults.LOSSES]
    names = ("test", *sets)
    return Inspection(
        sha256="ab" * 32,
        bytes=1_000,
        format="h5",
        keras="Keras 3.15.1",
        layers=(Layer(name="d", kind="Dense", output_shape=(None, 10), parameters=10),),
        trainable_parameters=10,
        non_trainable_parameters=0,
        input_shapes=((None, 28, 28, 1),),
        output_shapes=((None, 10),),
        probabilities=dict.fromkeys(names, predicting(wrong)),
        planted=PlantedPredictions(
            noised=tuple(dict.fromkeys(names, predicting(wrong + more)) for more in lost),
            inverted=dict.fromkeys(names, predicting(inverted)),
        ),
    )


def run_on(found: Inspection | None = None, **bounds: Any) -> SelfTest:
    checker = Checker(contract=Contract(**bounds), data=DATA)
    return self_test.evaluate(checker, found or inspection())


def by_fault(found: SelfTest) -> dict[str, PlantedModel]:
    return {each.fault: each for each in found.models}


def test_each_gross_fault_fails_the_default_contract_and_small_losses_are_allowed() -> None:
    found = run_on()
    models = by_fault(found)
    losses = [f"weights noised, {points}" for points in ("0.5 points", "1 point", "2 points")]
    assert [*models] == [*losses, *GROSS]
    assert {models[name].status for name in losses} == {"let through"}
    assert [models[name].accuracy for name in losses] == [0.985, 0.98, 0.97]
    assert {models[name].clauses for name in GROSS} == {("test accuracy",)}
    assert {models[name].status for name in GROSS} == {"failed"}
    assert (found.passed, found.accuracy, found.images) == (True, 0.99, COUNT)
    assert found.untested == ("parameters", "input shape", "output shape")
    assert found.idle == ()


def test_a_file_that_was_replaced_after_its_verdict_is_refused() -> None:
    class Another(Checker):
        def inspect(self, _path: Path, *, planting: Planting | None = None) -> Inspection:
            assert planting is not None
            return inspection()

    another = Another(contract=Contract(), data=DATA)
    assert self_test.run(another, Path("m.h5"), sha256="ab" * 32).passed
    with pytest.raises(InputRefusedError, match="abab"):
        self_test.run(another, Path("m.h5"), sha256="cd" * 32)


def test_each_fault_is_what_its_name_says() -> None:
    models = by_fault(run_on())
    assert models["labels shuffled"].accuracy == pytest.approx(0.1, abs=0.03)
    threes = (LABELS == 3).sum()  # the class with the fewest images
    assert models["class 3 forgotten"].accuracy == pytest.approx(0.99 - threes / COUNT, abs=0.001)
    assert models["pixels inverted"].accuracy == pytest.approx(0.05)
    assert models["always class 1"].accuracy == pytest.approx((LABELS == 1).mean())
    assert models["NaN predicted"].accuracy is None


def test_a_bound_that_would_fail_a_model_is_proven_to_do_so() -> None:
    remedies = [each.note for each in run_on().models[:3]]
    bounds = ["accuracy_above = 0.9850", "accuracy_above = 0.9800", "accuracy_above = 0.9700"]
    assert remedies == [f"{bound} would fail it" for bound in bounds]
    stricter = run_on(accuracy_above=0.98)
    assert [each.status for each in stricter.models[:3]] == ["let through", "failed", "failed"]


def test_the_remedy_takes_the_end_of_the_interval_where_the_contract_does() -> None:
    found = run_on(confidence=0.99, accuracy_above=0.9)
    (bound,) = {note.split()[2] for note in [found.models[2].note or ""]}
    for above, status in ((float(bound), "failed"), (float(bound) - 1e-4, "let through")):
        assert run_on(confidence=0.99, accuracy_above=above).models[2].status == status


def test_a_clause_that_the_sound_model_fails_now_fails_no_planted_one() -> None:
    slow = replace(inspection(), latency=(1.0,))  # as when the machine is busy the second time
    found = run_on(slow, latency_below_ms=5)
    assert [each.status for each in found.models[:3]] == ["let through"] * 3
    assert found.models[2].note == "accuracy_above = 0.9700 would fail it"
    assert not any("latency" in each.clauses for each in found.models)


def test_a_contract_that_misses_a_gross_fault_does_not_pass() -> None:
    found = run_on(accuracy_above=0.9)
    missed = by_fault(found)["class 3 forgotten"]
    assert not found.passed
    assert (missed.status, missed.clauses) == ("missed", ())
    assert missed.note is not None
    assert missed.note.startswith("accuracy_above = 0.91")
    assert by_fault(run_on(accuracy_above=0.9, worst_recall_above=0.5))[
        "class 3 forgotten"
    ].clauses == ("worst recall",)


def test_a_class_that_the_model_never_gets_right_cannot_be_forgotten() -> None:
    without = faults.without_class(predicting(20), 3)
    found = run_on(replace(inspection(), probabilities={"test": without}), accuracy_above=0.85)
    assert found.passed
    names = [each for each in by_fault(found) if each.endswith("forgotten")]
    assert len(names) == 1
    assert names != ["class 3 forgotten"]


def test_a_model_that_is_no_worse_with_a_fault_has_none() -> None:
    found = run_on(inspection(inverted=22))
    assert by_fault(found)["pixels inverted"].status == "not planted"
    assert (
        by_fault(found)["pixels inverted"].note
        == f"not shown to be worse on these {COUNT:,} images"
    )
    assert found.passed


def test_noise_that_costs_too_little_is_no_fault() -> None:
    found = inspection()
    assert found.planted is not None
    weak = replace(found.planted, noised=({}, *found.planted.noised[1:]))
    model = run_on(replace(found, planted=weak)).models[0]
    assert (model.status, model.note) == (
        "not planted",
        "no noise in its weights costs that much accuracy",
    )


@pytest.fixture
def baseline(monkeypatch: pytest.MonkeyPatch) -> Baseline:
    """A baseline that predicts what the sound model does."""
    monkeypatch.setattr(Checker, "baseline", predicting(20))
    return Baseline(model="released.h5", tolerance_points=0.4)


def test_a_baseline_promises_to_fail_losses_above_its_tolerance(baseline: Baseline) -> None:
    found = run_on(baseline=baseline)
    statuses = [each.status for each in found.models[:3]]
    assert statuses == ["missed", "failed", "failed"]  # 10 of 2,000 images are too few to show it
    assert not found.passed
    assert found.models[0].note == "confidence = 0.99 would fail it"
    close = run_on(baseline=baseline, accuracy_above=0.984)  # confidence would fail the sound one
    assert close.models[0].note == "accuracy_above = 0.9850 would fail it"
    strict = run_on(baseline=baseline, confidence=0.99)
    assert [each.status for each in strict.models[:3]] == ["failed"] * 3
    assert all("baseline" in each.clauses for each in strict.models)


def test_each_clause_on_predictions_is_failed_by_some_planted_model() -> None:
    perturbed = Perturbed(noise=Noise(sigma=0.1, accuracy_above=0.9))
    found = run_on(
        inspection("noise"),
        accuracy_below=0.999,
        calibration_error_below=0.2,
        worst_recall_above=0.5,
        perturbed=perturbed,
        bytes_below=10_000,
    )
    assert found.idle == ()
    assert found.untested == ("parameters", "input shape", "output shape", "file size")
    learned = by_fault(found)["trained on the test images"]
    assert (learned.status, learned.accuracy) == ("failed", 1)
    assert learned.clauses == ("accuracy ceiling",)


def test_a_clause_that_fails_nothing_is_named() -> None:
    perturbed = Perturbed(noise=Noise(sigma=0.1, accuracy_above=0.01))
    found = run_on(inspection("noise"), perturbed=perturbed, calibration_error_below=1)
    assert found.idle == ("accuracy with noise of 0.1", "calibration error")
    assert found.passed
