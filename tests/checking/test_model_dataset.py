"""The data set that `check` takes if none is named: that of the model's run."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks import dataset_info, run_store
from mnist_tasks.checking import model_dataset
from mnist_tasks.data import datasets
from mnist_tasks.data.datasets import Dataset
from mnist_tasks.errors import UsageError
from tests import examples

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.dataset_info import DatasetInfo


def made(runs: Path, number: int, dataset: DatasetInfo) -> Path:
    """Write a model file, and the record of the run that made it."""
    path = runs.parent / f"{number}.h5"
    path.write_bytes(b"model %d" % number)
    model = replace(examples.MODEL, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    run_store.save(replace(examples.run(number), model=model, dataset=dataset), runs)
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def find(models: list[Path], runs: Path) -> Dataset | None:
    return model_dataset.find(models, run_store.list_runs(runs))


def test_it_is_that_of_the_run(runs: Path) -> None:
    fashion = made(runs, 0, datasets.FASHION_MNIST.info)
    mnist = made(runs, 1, dataset_info.MNIST)
    unknown = runs.parent / "unknown.h5"
    unknown.write_bytes(b"another model")
    missing = runs.parent / "missing.h5"
    assert find([missing, unknown, fashion], runs) is datasets.FASHION_MNIST
    assert find([mnist], runs) == datasets.default()
    assert find([unknown], runs) is None
    assert find([fashion], runs.parent / "none") is None


def test_models_of_several_data_sets_are_refused(runs: Path) -> None:
    models = [made(runs, 0, dataset_info.MNIST), made(runs, 1, datasets.FASHION_MNIST.info)]
    with pytest.raises(UsageError) as caught:
        find(models, runs)
    assert caught.value.found == f"mnist ({models[0]}), fashion-mnist ({models[1]})"
    assert "--dataset" in (caught.value.remedy or "")


def test_a_data_set_that_is_not_known_is_that_of_the_run(runs: Path) -> None:
    model = made(runs, 0, examples.PARTS)
    with pytest.raises(UsageError) as caught:
        find([model], runs)
    assert caught.value.subject == f"the data set of the run that made {model}"
    assert "parts" in caught.value.found
