"""The public functions: quiet, repeatable, and without side effects on the calling process."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

import mnist_tasks
from mnist_tasks.api import checking
from mnist_tasks.api.data import data_config
from mnist_tasks.checking.contract import Contract
from mnist_tasks.data.loading import DataConfig
from mnist_tasks.errors import InputRefusedError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.records import RunRecord

QUICK = {"epochs": 2, "batch_size": 64, "limit": 256, "threads": 2, "device": "cpu"}


def train(folder: Path, **changed: object) -> RunRecord:
    """Train for a moment on the small data set in a folder."""
    options = {**QUICK, "output": folder / "m.h5", "runs_dir": folder / "runs", "data": folder}
    return mnist_tasks.train(**{**options, **changed})  # type: ignore[arg-type]


def state() -> dict[str, object]:
    """Return everything that a library could leave changed in this process."""
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109
        "python's random numbers": random.getstate(),
        "numpy's random numbers": [str(part) for part in np.random.get_state()],  # noqa: NPY002
        "signals": [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)],
        "streams": (sys.stdout, sys.stderr),
        "collector": gc.isenabled(),
        "matplotlib": sys.modules.get("matplotlib", "not imported"),
    }


def test_the_import_loads_no_library() -> None:
    command = [sys.executable, "-X", "importtime", "-c", "import mnist_tasks"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {
        line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()
    }
    assert "mnist_tasks" in loaded
    assert not loaded & {"keras", "msgspec", "numpy", "requests", "rich", "tensorflow", "typer"}


def test_the_public_names_are_listed_and_no_others_exist() -> None:
    assert set(mnist_tasks.__all__) <= set(dir(mnist_tasks))
    for name in mnist_tasks.__all__:
        assert getattr(mnist_tasks, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'learn'"):
        mnist_tasks.learn  # noqa: B018


def test_data_unpacks_into_arrays(small_mnist: Path) -> None:
    images, labels = mnist_tasks.load_data("test", data=small_mnist)
    assert (images.shape, str(images.dtype)) == ((128, 28, 28), "uint8")
    assert (labels.shape, str(labels.dtype)) == ((128,), "uint8")


def test_the_data_folder_is_that_of_the_command_line(
    small_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_TASKS_DATA", str(small_mnist))
    assert len(mnist_tasks.load_data("train").labels) == 512


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MNIST_TASKS_DATA", "MNIST_TASKS_MIRROR"):
        monkeypatch.setenv(name, "")
    assert data_config(None) == DataConfig()


def test_missing_data_is_an_error_and_not_an_exit(
    small_mnist: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert small_mnist.is_dir()
    with pytest.raises(mnist_tasks.MnistTasksError):
        mnist_tasks.load_data("test", data=DataConfig(folder=tmp_path / "empty", offline=True))
    assert capfd.readouterr() == ("", "")


def test_an_invalid_setting_is_named(small_mnist: Path) -> None:
    with pytest.raises(UsageError, match="max_shift"):
        train(small_mnist, settings={"max_shift": 99})


def test_a_contract_in_python_is_not_taken_for_the_default() -> None:
    assert checking.load_contract(Contract(accuracy_above=0.5)).source == "a contract in Python"
    assert checking.load_contract(Contract()).source is None


def test_a_split_that_does_not_exist_is_wrong_usage(small_mnist: Path) -> None:
    with pytest.raises(UsageError, match='split: "validation"') as caught:
        mnist_tasks.load_data("validation", data=small_mnist)  # type: ignore[arg-type]
    assert caught.value.expected == "one of test, train"


def test_a_missing_model_is_an_error_and_not_an_exit(small_mnist: Path) -> None:
    with pytest.raises(InputRefusedError, match="missing"):
        mnist_tasks.vet(small_mnist / "missing.h5")
    with pytest.raises(InputRefusedError, match="missing"):
        mnist_tasks.check(small_mnist / "missing.h5", data=small_mnist)


@pytest.mark.slow
def test_train_check_vet_and_report_in_one_process_twice(
    small_mnist: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = state()
    record = train(small_mnist, seed=7)
    check = mnist_tasks.check(
        record.model.path,
        contract=Contract(accuracy_above=0.1),
        runs_dir=small_mnist / "runs",
        data=small_mnist,
    )
    vetted = mnist_tasks.vet(record.model.path)
    page = mnist_tasks.report(record.id, runs_dir=small_mnist / "runs", data=small_mnist)
    again = train(small_mnist, seed=7)
    assert state() == before
    assert capfd.readouterr() == ("", "")
    assert page == small_mnist / "runs" / record.id / "report.html"
    assert f"{check.model.parameters:,}" in page.read_text(encoding="utf-8")
    assert check.metrics is not None
    assert check.metrics.images == 128
    assert vetted.sha256 == check.model.sha256 == record.model.sha256 == again.model.sha256
    written = json.loads((small_mnist / "runs" / record.id / "run.json").read_bytes())
    assert written["check"]["verdict"]["clauses"][0]["status"] == "passed"


@pytest.mark.slow
def test_progress_is_shown_on_request(small_mnist: Path, capfd: pytest.CaptureFixture[str]) -> None:
    train(small_mnist, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "epoch 2/2  256/256 images" in err
