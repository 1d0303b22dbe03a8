"""The predictions of a baseline: a model file, or a record."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_tasks import check_store, predictions, run_store
from mnist_tasks.checking import baselines, metrics
from mnist_tasks.checking.contract import Baseline
from mnist_tasks.data import datasets
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.inspection import Inspection
from mnist_tasks.vetting.limits import DEFAULT
from tests import examples, generated

IMAGES, LABELS = generated.digits(50)
DIGITS = LabeledImages(images=IMAGES, labels=LABELS)
PROBABILITIES = np.eye(10, dtype=np.float32)[np.roll(LABELS, 1)]


def predict(baseline: Baseline) -> Any:
    return baselines.predict(baseline, DIGITS, DEFAULT)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a checked run, with its predictions."""
    measured = metrics.compute(PROBABILITIES, LABELS)
    record = examples.run(checked=replace(examples.check(), metrics=measured))
    folder = run_store.save(record, tmp_path).parent
    predictions.save(PROBABILITIES, folder)
    return folder


def test_the_predictions_of_a_record_are_read(run: Path) -> None:
    for path in (run, run / "run.json"):
        assert (predict(Baseline(record=str(path))) == PROBABILITIES).all()


def test_predictions_that_do_not_match_the_record_are_refused(run: Path) -> None:
    predictions.save(np.roll(PROBABILITIES, 1, axis=1), run)
    with pytest.raises(InputRefusedError, match="don't match the record's confusion matrix"):
        predict(Baseline(record=str(run)))


def changed(run: Path, **changes: Any) -> None:
    """Change metrics of a run's check."""
    record = run_store.read(run / "run.json")
    assert record.check is not None
    assert record.check.metrics is not None
    measured = replace(record.check.metrics, **changes)
    run_store.save(replace(record, check=replace(record.check, metrics=measured)), run.parent)


@pytest.mark.parametrize("name", ["loss", "calibration_error"])
def test_metrics_that_do_not_match_the_predictions_are_refused(run: Path, name: str) -> None:
    changed(run, **{name: 0.5})
    with pytest.raises(InputRefusedError, match="don't match the record's loss or calibration"):
        predict(Baseline(record=str(run)))


def test_a_record_of_an_older_version_needs_no_calibration_error(run: Path) -> None:
    changed(run, calibration_error=None)
    assert (predict(Baseline(record=str(run))) == PROBABILITIES).all()


def test_the_predictions_have_the_hash_in_the_record(run: Path) -> None:
    record = run_store.read(run / "run.json")
    assert record.check is not None
    attached = check_store.attach_to_run(record.check, run.parent, PROBABILITIES)
    assert attached is not None
    assert (predict(Baseline(record=str(run))) == PROBABILITIES).all()
    # Invented ones with the same metrics: two images of the same class, and their predictions.
    first, second = np.flatnonzero(LABELS[0] == LABELS)[:2]
    invented = PROBABILITIES.copy()
    invented[[first, second]] = PROBABILITIES[[second, first]]
    invented[first] = np.nextafter(invented[first], np.float32(0.5))
    predictions.save(invented, run)
    with pytest.raises(InputRefusedError, match="but its record has"):
        predict(Baseline(record=str(run)))


def test_a_check_of_another_model_is_refused(run: Path) -> None:
    record = run_store.read(run / "run.json")
    other = replace(record.model, sha256="cd" * 32)
    examples.write(replace(record, model=other), run.parent)
    with pytest.raises(InputRefusedError, match="its check is of another model file"):
        predict(Baseline(record=str(run)))


def test_another_model_in_the_folder_of_the_record_is_refused(run: Path) -> None:
    (run / "model.h5").write_bytes(b"another model")
    with pytest.raises(InputRefusedError, match="another model file in its folder"):
        predict(Baseline(record=str(run)))
    sha256 = hashlib.sha256(b"another model").hexdigest()
    text = (run / "run.json").read_text()
    (run / "run.json").write_text(text.replace(examples.MODEL.sha256, sha256))
    assert (predict(Baseline(record=str(run))) == PROBABILITIES).all()


def test_predictions_for_other_images_are_refused(run: Path) -> None:
    predictions.save(PROBABILITIES[:40], run)
    with pytest.raises(InputRefusedError, match="predictions for 40 images"):
        predict(Baseline(record=str(run)))


def test_a_run_that_was_not_checked_is_refused(run: Path) -> None:
    run_store.save(examples.run(), run.parent)
    with pytest.raises(InputRefusedError) as caught:
        predict(Baseline(record=str(run)))
    assert "mnist-tasks check" in str(caught.value.remedy)


def test_a_record_without_predictions_is_refused_with_a_remedy(run: Path) -> None:
    (run / "predictions.npz").unlink()
    with pytest.raises(InputRefusedError) as caught:
        predict(Baseline(record=str(run)))
    assert caught.value.subject == f"the baseline {run / 'predictions.npz'}"
    assert "mnist-tasks check" in str(caught.value.remedy)


def test_a_missing_record_is_refused_as_the_baseline(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError) as caught:
        predict(Baseline(record=str(tmp_path / "none")))
    assert caught.value.subject.startswith("the baseline ")


def test_without_predictions_the_model_of_a_record_is_run(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run / "predictions.npz").unlink()
    (run / "model.h5").write_bytes(b"a model")
    inspected(monkeypatch, sha256=examples.MODEL.sha256, probabilities={"test": PROBABILITIES})
    assert (predict(Baseline(record=str(run))) == PROBABILITIES).all()
    inspected(monkeypatch, sha256="cd" * 32, probabilities={"test": PROBABILITIES})
    with pytest.raises(InputRefusedError, match="another model file, cdcd"):
        predict(Baseline(record=str(run)))


def inspected(monkeypatch: pytest.MonkeyPatch, sha256: str = "", **facts: Any) -> None:
    inspection = Inspection(
        sha256=sha256,
        bytes=1,
        format="h5",
        keras="Keras 3.15.1",
        layers=(),
        trainable_parameters=1,
        non_trainable_parameters=1,
        input_shapes=(),
        output_shapes=(),
        **facts,
    )
    monkeypatch.setattr(sandbox, "inspect", lambda *_, **__: inspection)


def test_a_model_runs_in_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    inspected(monkeypatch, probabilities={"test": PROBABILITIES})
    assert (predict(Baseline(model="best.h5")) == PROBABILITIES).all()


def test_a_model_without_predictions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    inspected(monkeypatch, no_predictions_reason="it has 2 inputs")
    with pytest.raises(InputRefusedError) as caught:
        predict(Baseline(model="best.h5"))
    assert (caught.value.subject, caught.value.found) == ("the baseline best.h5", "it has 2 inputs")


def test_an_error_of_the_sandbox_keeps_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise EnvironmentProblemError("best.h5", found="out of memory", expected="4 GiB")

    monkeypatch.setattr(sandbox, "inspect", fail)
    with pytest.raises(EnvironmentProblemError) as caught:
        predict(Baseline(model="best.h5"))
    assert caught.value.subject == "the baseline best.h5"
    assert (caught.value.found, caught.value.expected) == ("out of memory", "4 GiB")


def test_the_record_of_another_data_set_is_refused(run: Path) -> None:
    fashion = datasets.FASHION_MNIST.info
    with pytest.raises(InputRefusedError) as caught:
        baselines.predict(Baseline(record=str(run)), replace(DIGITS, info=fashion), DEFAULT)
    assert caught.value.expected == "the record of a run on Fashion-MNIST"
    assert caught.value.found == "one on MNIST"
    renamed = replace(DIGITS.info, classes=(*DIGITS.info.classes[:9], "ten"))
    with pytest.raises(InputRefusedError) as caught:
        baselines.predict(Baseline(record=str(run)), replace(DIGITS, info=renamed), DEFAULT)
    assert caught.value.found == "one on MNIST with other images or classes"
