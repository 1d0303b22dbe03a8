"""The newest run is the one that was made last, whatever the clock says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mnist_tasks import check_store, listed_runs, run_models, run_store
from mnist_tasks.records import RunRecord
from tests import examples
from tests.conftest import CommandLine

EARLIER, LATER = "2026-11-22T12:00:00+00:00", "2026-11-22T12:00:01+00:00"


def published(folder: Path, name: str, created: str) -> RunRecord:
    """Make a run at a time of the clock."""
    model = replace(examples.MODEL, path=str(folder / "latest.h5"))
    record = replace(examples.run(), id=name, created=created, model=model)
    with run_models.new_folder(folder / "runs") as own:
        (own / "model.h5").write_bytes(b"a model")
        return run_models.publish(record, own)


def listed(folder: Path) -> list[str]:
    return [run.id for run in run_store.list_runs(folder / "runs").runs]


@pytest.mark.parametrize("first", [EARLIER, LATER, "2040-01-01T00:00:00+00:00"])
def test_the_latest_run_is_the_one_that_was_made_last(
    cli: CommandLine, tmp_path: Path, first: str
) -> None:
    made = [published(tmp_path, "zz", first)]
    made += [published(tmp_path, name, EARLIER) for name in ("b", "a")]  # the clock was set back
    assert listed(tmp_path) == ["zz", "b", "a"]
    assert [record.created for record in made] == [first, EARLIER, EARLIER]
    runs = tmp_path / "runs"
    latest, _ = run_store.find(run_store.list_runs(runs), runs, "latest")
    assert latest == made[-1]
    records = run_store.read_all(runs).records
    assert [record.id for record in records] == ["zz", "b", "a"]
    done = cli("runs", "prune", "--keep", "1", "--yes")
    assert done.returncode == 0, done.stderr
    assert listed(tmp_path) == ["a"]


def test_a_record_has_another_time_only_if_its_own_does_not_tell(tmp_path: Path) -> None:
    assert published(tmp_path, "a", EARLIER).order == ""
    assert published(tmp_path, "b", LATER).order == ""
    assert published(tmp_path, "c", LATER).order == "2026-11-22T12:00:01.000001+00:00"
    assert published(tmp_path, "d", "2026-11-22T12:00:02+00:00").order == ""


def test_times_that_no_clock_gives_are_sorted_first(tmp_path: Path) -> None:
    for name, created in {"x": "", "y": "tomorrow", "z": "2026-11-22T12:00:00"}.items():
        examples.write(replace(examples.run(), id=name, created=created), tmp_path / "runs")
    published(tmp_path, "a", "2026-11-22T12:00:00+02:00")
    assert listed(tmp_path) == ["x", "y", "z", "a"]


def test_nothing_follows_the_end_of_time(tmp_path: Path) -> None:
    published(tmp_path, "a", "9999-12-31T23:59:59.999999+00:00")
    published(tmp_path, "b", EARLIER)
    assert listed(tmp_path) == ["a", "b"]
    assert listed_runs.time_of("0001-01-01T00:00:00+23:59") < listed_runs.EARLIEST


def test_the_newest_check_of_a_model_is_the_last(tmp_path: Path) -> None:
    for number, created in enumerate([LATER, EARLIER, EARLIER]):
        model = replace(examples.MODEL, path=f"{number}.h5", sha256=f"{number}" * 64)
        check = replace(examples.check(), model=model, created=created)
        check_store.attach(check, tmp_path)
    newest = check_store.newest(tmp_path)
    assert newest is not None
    assert newest.model.path == "2.h5"
    assert [folder.name[0] for folder in check_store.old(tmp_path, 1)] == ["0", "1"]
