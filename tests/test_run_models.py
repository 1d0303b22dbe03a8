"""The model files of runs: whose they are, and in which order they are written."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mnist_tasks import disk, pruning, run_models, run_store
from mnist_tasks.check_records import ModelFile
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, UsageError
from mnist_tasks.records import RunRecord
from tests import examples

NEW = b"the new model"


def trained(folder: Path, number: int = 0, content: bytes = NEW) -> RunRecord:
    """Return the record of a run that has saved its own model."""
    model = ModelFile(
        path=str(folder / "model_latest.h5"),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        parameters=1,
    )
    record = replace(examples.run(number), model=model)
    own = run_models.kept(record, folder / "runs" / f".{record.id}")
    own.parent.mkdir(parents=True)
    own.write_bytes(content)
    return record


def publish(record: RunRecord, folder: Path) -> None:
    run_models.publish(record, folder / "runs" / f".{record.id}")


def require_own(folder: Path) -> None:
    run_models.require_own(folder / "model_latest.h5", folder / "runs", force="--force")


def test_a_run_leaves_its_record_its_own_model_and_the_latest(tmp_path: Path) -> None:
    (tmp_path / "model_latest.h5").write_bytes(b"the old model")
    record = trained(tmp_path)
    publish(record, tmp_path)
    own = tmp_path / "runs" / record.id / "model.h5"
    assert own.read_bytes() == (tmp_path / "model_latest.h5").read_bytes() == NEW
    assert run_store.read(own.with_name("run.json")) == record
    # Keras writes in place when a model is saved again.
    with (tmp_path / "model_latest.h5").open("wb") as file:
        file.write(b"trained further")
    assert own.read_bytes() == NEW


def test_a_later_run_leaves_the_model_of_an_earlier_one(tmp_path: Path) -> None:
    records = [trained(tmp_path, number, b"%d" % number) for number in (0, 1)]
    for record in records:
        publish(record, tmp_path)
    assert [
        run_models.kept(each, tmp_path / "runs" / each.id).read_bytes() for each in records
    ] == [
        b"0",
        b"1",
    ]
    assert [run_models.replaced(record) for record in records] == [True, False]
    pruning.delete([tmp_path / "runs" / records[0].id], tmp_path / "runs")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [records[1].id]


def test_without_a_record_the_latest_model_stays(tmp_path: Path) -> None:
    (tmp_path / "model_latest.h5").write_bytes(b"the old model")
    record = trained(tmp_path)
    own = tmp_path / "runs" / record.id / "model.h5"
    (tmp_path / "runs" / f".{record.id}" / "run.json").mkdir()  # what can't be replaced
    with pytest.raises(EnvironmentProblemError) as caught:
        publish(record, tmp_path)
    assert f"The new model is {own}, without a record of the run" in caught.value.found
    assert "model_latest.h5 was not replaced" in caught.value.found
    assert (tmp_path / "model_latest.h5").read_bytes() == b"the old model"
    assert own.read_bytes() == NEW


def test_a_record_that_is_not_valid_keeps_its_reason(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError) as caught:
        publish(replace(trained(tmp_path), recipe={}), tmp_path)
    assert caught.value.reason == "record-invalid"
    assert "its recipe has no name. The new model is" in caught.value.found


def test_a_record_is_complete_before_the_latest_model_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "model_latest.h5").mkdir()
    record = trained(tmp_path)
    with pytest.raises(EnvironmentProblemError) as caught:
        publish(record, tmp_path)
    assert "The run is recorded, with its model" in caught.value.found
    assert run_store.read(tmp_path / "runs" / record.id / "run.json") == record


def test_an_interruption_says_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = disk.write

    def interrupt(target: Path, content: bytes) -> None:
        if target.name == "model_latest.h5":
            raise KeyboardInterrupt
        write(target, content)

    monkeypatch.setattr(disk, "write", interrupt)
    with pytest.raises(KeyboardInterrupt, match="The run is recorded, with its model"):
        publish(trained(tmp_path), tmp_path)


def test_the_file_of_a_run_may_be_replaced(tmp_path: Path) -> None:
    require_own(tmp_path)  # there is none
    publish(trained(tmp_path), tmp_path)
    require_own(tmp_path)
    (tmp_path / "model_latest.h5").write_bytes(b"a model of her own")
    with pytest.raises(UsageError) as caught:
        require_own(tmp_path)
    assert caught.value.reason == "would-overwrite"


def test_the_folder_of_a_run_that_failed_is_deleted(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "model.h5").write_bytes(NEW)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), run_models.new_folder(tmp_path / "runs") as new:
        fail(new)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_has_no_record_before_it_is_complete(tmp_path: Path) -> None:
    with run_models.new_folder(tmp_path / "runs") as folder:
        record = replace(trained(tmp_path), id="20261122-143512-7f3a")
        (folder / "model.h5").write_bytes(NEW)
        (folder / "run.json").write_text("{")
        assert run_store.read_all(tmp_path / "runs") == run_store.StoredRecords()
        run_models.publish(record, folder)
    (stored,) = run_store.read_all(tmp_path / "runs").records
    assert stored == record
    folder = tmp_path / "runs" / record.id
    assert sorted(path.name for path in folder.iterdir()) == ["model.h5", "run.json"]
    assert folder.stat().st_mode == (tmp_path / "runs").stat().st_mode


@pytest.mark.parametrize("output", ["model_latest.h5", "mine.keras"])
def test_train_does_not_overwrite_a_model_that_no_run_made(
    cli: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, output: str
) -> None:
    (tmp_path / output).write_bytes(b"a model of her own")
    done = cli("train", "--offline", "--output", output)
    assert done.returncode == 2
    assert output in done.stderr
    said = " ".join(done.stderr.replace("│", "").split())
    assert "Name another file with --output, or replace this one with --force." in said
    assert (tmp_path / output).read_bytes() == b"a model of her own"
    forced = cli("train", "--offline", "--output", output, "--force")
    assert forced.returncode != 2  # there is no data


def test_an_output_that_cannot_be_written_is_named_before_the_training(
    cli: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = cli("train", "--offline", "--output", "file/model.h5")
    assert done.returncode == 4
    assert "Name another file with --output." in done.stderr
    assert not (tmp_path / "runs").exists()
