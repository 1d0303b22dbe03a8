"""Predictions beside a run's record."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mnist_tasks import check_store, dataset_info, predictions, run_store
from mnist_tasks.errors import InputRefusedError
from tests import examples

PROBABILITIES = np.full((50, 10), 0.1, np.float32)


def test_predictions_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = predictions.save(PROBABILITIES, tmp_path / "run")
    assert path == tmp_path / "run" / "predictions.npz"
    assert (predictions.load(path.parent, classes=10) == PROBABILITIES).all()
    with np.load(path) as archive:  # as any other program does
        assert list(archive) == ["probabilities"]
        assert archive["probabilities"].dtype == np.float32
    assert list(path.parent.iterdir()) == [path]


def test_predictions_for_the_most_images_and_classes_fit(tmp_path: Path) -> None:
    shape = (dataset_info.MOST_TEST_IMAGES, dataset_info.MOST_CLASSES)
    predictions.save(np.full(shape, 0.01, np.float32), tmp_path)
    assert predictions.load(tmp_path, classes=shape[1]).shape == shape


def test_a_check_saves_its_predictions_beside_the_record(tmp_path: Path) -> None:
    record = examples.run()
    run_store.save(record, tmp_path)
    check_store.attach_to_run(examples.check(), tmp_path, PROBABILITIES)
    assert (predictions.load(tmp_path / record.id, classes=10) == PROBABILITIES).all()


def test_the_predictions_of_an_unknown_model_are_not_stored(tmp_path: Path) -> None:
    assert check_store.attach_to_run(examples.check(), tmp_path, PROBABILITIES) is None
    assert list(tmp_path.iterdir()) == []


def archive(member: bytes, name: str = "probabilities.npy") -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(name, member)

    return write


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def giant() -> bytes:
    """Claim 10^12 rows and have none."""
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**12, 10)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 33)


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "a pipe, socket or device"),
        (sparse, "8,589,934,592 bytes"),
        (lambda path: path.write_bytes(b""), "BadZipFile"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + b"x" * 100), "BadZipFile"),
        (archive(npy(PROBABILITIES), "other.npy"), "KeyError"),
        (archive(b"nothing"), "another kind"),
        (archive(npy(PROBABILITIES)[:-1]), "another kind"),
        (archive(npy(PROBABILITIES)[:-40]), "another kind"),
        (archive(npy(PROBABILITIES) + b"more"), "another kind"),
        (archive(giant()), "another kind"),
        (archive(bytes(25_000_000)), "25,000,000 bytes"),
        (archive(npy(PROBABILITIES.astype("float64"))), "another kind"),
        (archive(npy(PROBABILITIES.T)), "another kind"),
        (archive(npy(np.asfortranarray(PROBABILITIES))), "another kind"),
        (archive(npy(np.array([{}] * 500, object).reshape(50, 10))), "another kind"),
        (archive(npy(PROBABILITIES * 20)), "values outside [0, 1]"),
        (archive(npy(PROBABILITIES * np.float32("nan"))), "values outside [0, 1]"),
    ],
)
def test_invalid_predictions_are_refused_with_the_reason(
    tmp_path: Path, write: Callable[[Path], object], found: str
) -> None:
    write(tmp_path / "predictions.npz")
    with pytest.raises(InputRefusedError) as caught:
        predictions.load(tmp_path, classes=10)
    assert found in caught.value.found
    assert "mnist-tasks check" in str(caught.value.remedy)
