"""A run is trained again: in this process, and by the command line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import mnist_tasks
from mnist_tasks import record_json
from mnist_tasks.check_records import Metrics
from mnist_tasks.errors import InputRefusedError, MnistTasksError, UsageError
from tests import examples
from tests.json_output import error_of, result_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reproducing.results import Reproduction

    Cli = Callable[..., subprocess.CompletedProcess[str]]

RECIPE: dict[str, Any] = {
    "recipe": "default",
    "batch_size": 32,
    "limit": 64,
    "validation": 20,
    "settings": {"max_shift": 0, "micro_batches": 2},
    "seed": 7,
    "device": "cpu",
    "threads": 2,
}


@pytest.fixture
def run(tensorflow: None, small_mnist: Path, tmp_path: Path) -> RunRecord:
    """Return a run of a few steps, in the folder ``runs``."""
    folder: dict[str, Any] = {"output": tmp_path / "model_latest.h5", "runs_dir": tmp_path / "runs"}
    return mnist_tasks.train(**RECIPE, **folder, data=small_mnist)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_run_is_reproduced_from_its_record_alone(
    run: RunRecord, small_mnist: Path, tmp_path: Path
) -> None:
    before = files(tmp_path)
    path = tmp_path / "runs" / run.id / "run.json"
    found = mnist_tasks.reproduce(path, data=small_mnist)
    assert (found.status, found.reproduced, found.differences) == ("same bytes", True, ())
    assert (found.run, found.recipe, found.seed) == (run.id, "default", 7)
    assert found.sha256 == found.recorded_sha256 == run.model.sha256
    assert found.loss == found.recorded_loss == run.epochs[-1].loss
    assert found.machine == run.machine
    assert found.machine.cpu
    assert found.accuracies is None  # there is no need
    assert files(tmp_path) == before  # nothing was recorded, and no model written


def test_another_model_is_compared_by_its_accuracy(
    run: RunRecord, small_mnist: Path, tmp_path: Path
) -> None:
    def forge(wrong: int) -> None:
        """Write the record of another model, by another version, with so many wrong predictions."""
        model = replace(run.model, sha256="cd" * 32)
        other = replace(
            run,
            model=model,
            machine=replace(run.machine, versions=run.machine.versions | {"keras": "3.0"}),
            check=replace(examples.check(), model=model, metrics=metrics(128, wrong=wrong)),
        )
        path = tmp_path / "runs" / run.id / "run.json"
        path.write_bytes(record_json.to_json(other))

    forge(wrong=0)
    kept = tmp_path / "kept.h5"
    folder: dict[str, Any] = {"runs_dir": tmp_path / "runs", "data": small_mnist}
    found = mnist_tasks.reproduce("latest", output=kept, **folder)
    assert [each.what for each in found.differences] == ["version of keras"]
    assert found.accuracies is not None
    assert (found.accuracies.measured_on, found.accuracies.images) == ("test", 128)
    assert found.accuracies.recorded == 128
    assert (found.status, found.reproduced) == ("other accuracy", False)
    assert kept.read_bytes() == (tmp_path / "model_latest.h5").read_bytes()
    assert found.output == str(kept)

    forge(wrong=128 - found.accuracies.found)
    found = mnist_tasks.reproduce("latest", **folder)
    assert (found.status, found.reproduced) == ("same accuracy", True)
    kept.unlink()
    (small_mnist / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(MnistTasksError):
        mnist_tasks.reproduce("latest", output=kept, **folder)
    assert kept.is_file()  # it had been trained


def metrics(images: int, *, wrong: int) -> Metrics:
    rows = [[0] * 10 for _ in range(10)]
    rows[0][0], rows[0][1] = images - wrong, wrong
    return replace(examples.metrics(), confusion=tuple(map(tuple, rows)))


def record_of(tmp_path: Path, **changed: Any) -> RunRecord:
    """Write a record of a run that was never trained."""
    made = examples.run()
    recipe = {"name": "plain", "batch_size": 9, "learning_rate": 0.1}
    whole = replace(made, recipe=recipe | {"layers": []}, **changed)
    examples.write(whole, tmp_path / "runs")
    return whole


def reproduce(tmp_path: Path, **options: Any) -> Reproduction:
    return mnist_tasks.reproduce(runs_dir=tmp_path / "runs", data=tmp_path / "mnist", **options)


def test_other_data_is_refused_before_anything_is_trained(
    small_mnist: Path, tmp_path: Path
) -> None:
    record_of(tmp_path)  # with another hash
    with pytest.raises(InputRefusedError, match="train-images-idx3-ubyte") as caught:
        reproduce(tmp_path)
    assert caught.value.reason == "data-changed"


def test_a_data_set_that_is_not_here_is_refused(small_mnist: Path, tmp_path: Path) -> None:
    record_of(tmp_path, dataset=examples.PARTS)
    with pytest.raises(InputRefusedError, match=r"the data set of .*00ff") as caught:
        reproduce(tmp_path)
    assert "parts" in caught.value.found


def test_a_record_that_cannot_be_trained_is_not_the_users_error(
    tensorflow: None, small_mnist: Path, tmp_path: Path
) -> None:
    record_of(tmp_path, validation=60_000, data={})
    with pytest.raises(InputRefusedError, match="run") as caught:
        reproduce(tmp_path)
    assert (caught.value.reason, caught.value.found) == ("record-invalid", "validation: 60,000")


def test_only_a_new_file_is_written(tmp_path: Path) -> None:
    record_of(tmp_path)
    taken = tmp_path / "mine.h5"
    taken.write_bytes(b"mine")
    with pytest.raises(UsageError, match="--output") as caught:
        reproduce(tmp_path, output=taken)
    assert caught.value.reason == "would-overwrite"
    with pytest.raises(UsageError, match="--output") as caught:
        reproduce(tmp_path, output=tmp_path / "new.keras")
    assert caught.value.expected == "a file name that ends in .h5"


def test_code_of_a_record_from_elsewhere_must_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_tasks.training import network_file

    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text("raise SystemExit('this code was run')\n")
    source = network_file.find("net.py").source
    made = record_of(tmp_path, network_source=source)
    with pytest.raises(UsageError, match="--network"):
        reproduce(tmp_path, run=f"runs/{made.id}/run.json", device="nosuch")
    # Of one's own run, it is taken from where it was: the next error is another one.
    with pytest.raises(UsageError, match="--device"):
        reproduce(tmp_path, device="nosuch")


@pytest.mark.slow
def test_a_run_of_a_sweep_is_reproduced(small_cli: Cli, tmp_path: Path) -> None:
    recipe = ("--recipe", "plain", "--seeds", "1", "--limit", "64")
    swept = small_cli("sweep", *recipe, "--test", "--output", "s", "--workers", "1")
    assert swept.returncode == 0, swept.stderr
    (folder,) = (path for path in (tmp_path / "s").iterdir() if path.is_dir())
    before = files(tmp_path)
    same = small_cli("reproduce", str(folder), "--json")
    assert same.returncode == 0, same.stderr
    assert result_of(same)["status"] == "same bytes"
    other = small_cli("reproduce", str(folder), "--threads", "2")
    assert other.returncode in (0, 1), other.stderr
    assert "threads (differs)" in other.stdout
    assert "accuracy on 128 test images" in other.stdout
    assert ("Reproduced: same accuracy" in other.stdout) == (other.returncode == 0)
    assert files(tmp_path) == before
    gpu = small_cli("reproduce", str(folder), "--device", "gpu:9", "--json")
    assert (gpu.returncode, error_of(gpu)["subject"]) == (4, "--device gpu:9")


NET = """\
import keras
from helper import width

def build():
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(width)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.00123456789), loss)
    return model
"""


@pytest.mark.slow
def test_a_network_of_ones_own_is_reproduced(small_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "helper.py").write_text("width = 10\n")
    trained = small_cli("train", "--network", "net.py", "--epochs", "2", "-o", "m.keras", "--json")
    assert trained.returncode == 0, trained.stderr
    same = small_cli("reproduce", "--json")
    assert same.returncode == 0, same.stderr
    assert result_of(same)["status"] == "same results"
    (tmp_path / "helper.py").write_text("width = 10 \n")
    changed = small_cli("reproduce", "--json")
    assert (changed.returncode, error_of(changed)["reason"]) == (3, "code-changed")
