"""The records of past runs on disk."""

import json
import os
import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
import pytest

from mnist_tasks import check_store, json_text, listed_runs, predictions, run_store, temporary
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.records import Epoch, RunRecord
from mnist_tasks.reporting import run_summary
from tests import examples, records_fuzz


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = examples.run(checked=examples.check())
    path = run_store.save(record, tmp_path / "runs")
    assert path == tmp_path / "runs" / record.id / "run.json"
    assert run_store.read(path) == record
    assert json.loads(path.read_bytes())["check"]["metrics"]["confusion"][0][:2] == [9, 1]


def test_json_has_no_character_that_a_terminal_obeys() -> None:
    text = "\x1b[31m\x7f\x9b\u202e\u2028\ufeff\U000e0041 Größe"
    document = json_text.to_json({"text": text})
    assert msgspec.json.decode(document) == {"text": text}
    assert document.decode().replace("\n", "").isprintable()
    assert "Größe" in document.decode()


def test_an_unknown_field_is_ignored(tmp_path: Path) -> None:
    path = run_store.save(examples.run(), tmp_path)
    content = json.loads(path.read_bytes())
    del content["curve"]
    path.write_text(json.dumps({**content, "unknown": 1}))
    assert run_store.read(path) == replace(examples.run(), curve=())


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b'{"recipe":' + b'{"a":' * 100_000, "recursion"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"id": 3}', "Expected `str`, got `int` - at `$.id`"),
        (b'{"schema": 1}', "missing required field"),
    ],
)
def test_an_invalid_record_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, found: str
) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(InputRefusedError) as caught:
        run_store.read(path)
    assert found.lower() in caught.value.found.lower()


def test_a_record_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = examples.write(replace(examples.run(), schema=99), tmp_path)
    with pytest.raises(InputRefusedError, match="schema 99, written by a newer version"):
        run_store.read(path)


def test_records_are_read_oldest_first_and_invalid_ones_are_named(tmp_path: Path) -> None:
    for number in (2, 0, 1):
        run_store.save(examples.run(number), tmp_path)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "run.json").write_text('{"id": "\x1b[31m"}')
    (tmp_path / "empty").mkdir()
    found = run_store.list_runs(tmp_path)
    assert [record.seed for record in run_store.read_all(tmp_path).records] == [0, 1, 2]
    assert [run.seed for run in found.runs] == [0, 1, 2]
    assert len(found.skipped) == 1
    assert "foreign" in found.skipped[0]
    assert run_store.find(found, tmp_path, "latest")[0].seed == 2


def test_a_folder_without_records_is_refused_with_a_remedy(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputRefusedError) as caught:
            run_store.find(run_store.list_runs(folder), folder, "latest")
        assert "mnist-tasks train" in str(caught.value.remedy)


def test_an_empty_name_is_no_prefix_and_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run_store.save(examples.run(0), tmp_path)
    monkeypatch.chdir(path.parent)
    with pytest.raises(InputRefusedError, match="an empty name"):
        run_store.find(run_store.list_runs(tmp_path), tmp_path, "")


def test_a_check_is_added_to_the_newest_record_of_its_model(tmp_path: Path) -> None:
    for number in (0, 1):
        run_store.save(examples.run(number), tmp_path)
    other = replace(examples.run(2), model=replace(examples.MODEL, sha256="00" * 32))
    run_store.save(other, tmp_path)
    attached = check_store.attach_to_run(examples.check(), tmp_path)
    assert attached is not None
    assert attached.seed == 1
    checks = [record.check for record in run_store.read_all(tmp_path).records]
    assert checks == [None, examples.check(), None]


def test_the_check_of_an_unknown_model_is_not_stored(tmp_path: Path) -> None:
    assert check_store.attach_to_run(examples.check(), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_record_is_accepted_only_in_the_folder_of_its_id(tmp_path: Path) -> None:
    path = run_store.save(examples.run(), tmp_path)
    path.parent.rename(tmp_path / "elsewhere")
    run_store.save(replace(examples.run(), id="../outside"), tmp_path / "runs")
    found = run_store.read_all(tmp_path)
    assert found.records == ()
    assert "not named after its run, 20261122-120000-00ff" in found.skipped[0]
    assert check_store.attach_to_run(examples.check(), tmp_path) is None


LARGE = 10**16


def with_confidence(level: float) -> dict[str, Any]:
    interval = {"low": 0.8, "high": 0.95, "confidence": level}
    return {"check": {"verdict": {"clauses": [{}, {"interval": interval}]}}}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"epochs": []}, "$.epochs"),
        ({"epochs": [{"loss": 1e308}]}, "$.epochs[0].loss"),
        ({"epochs": [{"accuracy": -0.1}]}, "$.epochs[0].accuracy"),
        ({"epochs": [{"seconds": 1e308}]}, "$.epochs[0].seconds"),
        ({"curve": [{"step": -1}]}, "$.curve[0].step"),
        ({"curve": [{"step": 10**400}]}, "$.curve[0].step"),
        ({"curve": [{"step": LARGE}]}, "$.curve[0].step"),
        ({"seconds": {"fit": 1e308}}, "$.seconds"),
        ({"seed": LARGE}, "$.seed"),
        ({"limit": -1}, "$.limit"),
        ({"model": {"sha256": "ab"}}, "$.model.sha256"),
        ({"model": {"sha256": "AB" * 32}}, "$.model.sha256"),
        ({"model": {"sha256": "cd" * 32}}, "its check is of another model file"),
        ({"model": {"parameters": -1}}, "$.model.parameters"),
        ({"filters": [[[1e300]]]}, "$.filters"),
        ({"filters": [[[]]]}, "$.filters"),
        ({"recipe": {"name": None}}, "its recipe has no name"),
        ({"recipe": {"layers": json.loads("[" * 200 + "]" * 200)}}, "nested too deeply"),
        ({"check": {"metrics": {"confusion": [[1, 2]]}}}, "$.check.metrics.confusion"),
        ({"check": {"metrics": {"confusion": [[-1] * 10] * 10}}}, "$.check.metrics.confusion"),
        ({"check": {"metrics": {"confusion": [[0] * 10] * 10}}}, "confusion matrix has no images"),
        ({"check": {"metrics": {"loss": 1e308}}}, "$.check.metrics.loss"),
        ({"check": {"layers": [{"parameters": LARGE}]}}, "$.check.layers[0].parameters"),
        (with_confidence(1), "$.check.verdict.clauses[1].interval"),
        (with_confidence(0), "$.check.verdict.clauses[1].interval"),
        ({"schema": 0}, "$.schema"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_figures_of_no_real_run_are_refused(
    tmp_path: Path, change: dict[str, Any], found: str
) -> None:
    path = run_store.save(examples.run(checked=examples.check()), tmp_path)
    path.write_text(json.dumps(merged(json.loads(path.read_bytes()), change)))
    with pytest.raises(InputRefusedError) as caught:
        run_store.read(path)
    assert found in caught.value.found


def merged(value: Any, change: Any) -> Any:
    """Return a JSON value with some of its parts changed."""
    if isinstance(value, dict) and isinstance(change, dict):
        return {**value, **{key: merged(value.get(key), each) for key, each in change.items()}}
    if isinstance(value, list) and isinstance(change, list) and len(value) == len(change):
        return [merged(*pair) for pair in zip(value, change, strict=True)]
    return change


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_what_is_no_regular_file_is_skipped_and_named(tmp_path: Path) -> None:
    run_store.save(examples.run(), tmp_path)
    for name in ("pipe", "zero", "sparse", "folder"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "pipe" / "run.json")
    (tmp_path / "zero" / "run.json").symlink_to("/dev/zero")
    with (tmp_path / "sparse" / "run.json").open("wb") as file:
        file.truncate(1 << 33)
    (tmp_path / "folder" / "run.json").mkdir()
    stored = run_store.read_all(tmp_path)
    assert [record.id for record in stored.records] == [examples.run().id]
    assert [each.partition(": ")[2] for each in stored.skipped] == [
        "a folder",
        "a pipe, socket or device",
        "8,589,934,592 bytes",
        "a pipe, socket or device",
    ]


def test_a_run_is_found_by_its_id_a_prefix_or_its_path(tmp_path: Path) -> None:
    paths = [run_store.save(examples.run(number), tmp_path) for number in (0, 1)]
    found = run_store.list_runs(tmp_path)
    for name in (
        examples.run(0).id,
        "20261122-120000",
        str(paths[0]),
        str(paths[0].parent),
    ):
        record, folder = run_store.find(found, tmp_path, name)
        assert (record.seed, folder.resolve()) == (0, paths[0].parent.resolve())
    assert run_store.find(found, tmp_path, "latest")[0].seed == 1


def test_a_full_id_wins_over_a_longer_one_that_starts_with_it(tmp_path: Path) -> None:
    short, long = replace(examples.run(0), id="a"), replace(examples.run(1), id="ab")
    for record in (short, long):
        run_store.save(record, tmp_path)
    assert run_store.find(run_store.list_runs(tmp_path), tmp_path, "a")[0] == short


@pytest.mark.parametrize(("name", "found"), [("2026", "20261122-120000"), ("x", "no such run")])
def test_an_unknown_or_ambiguous_name_is_refused(tmp_path: Path, name: str, found: str) -> None:
    for number in (0, 1):
        run_store.save(examples.run(number), tmp_path)
    with pytest.raises(InputRefusedError, match=found):
        run_store.find(run_store.list_runs(tmp_path), tmp_path, name)


def test_a_list_decodes_only_what_it_shows(tmp_path: Path) -> None:
    """The newest run is read as a whole: it is what most commands go on to show."""
    for number in (0, 1, 2):
        path = run_store.save(examples.run(number), tmp_path)
        if number != 1:
            content = json.loads(path.read_bytes())
            path.write_text(json.dumps(merged(content, {"curve": [{"step": -1}]})))
    stored = run_store.list_runs(tmp_path)
    assert [run.seed for run in stored.runs] == [0, 1]
    (skipped,) = stored.skipped
    assert "$.curve[0].step" in skipped
    assert run_store.find(stored, tmp_path, "latest")[0].seed == 1
    with pytest.raises(InputRefusedError, match="curve"):
        run_store.find(stored, tmp_path, examples.run(0).id)
    assert [record.seed for record in run_store.read_all(tmp_path).records] == [1]


def test_a_list_has_no_confidence_of_which_there_is_no_interval(tmp_path: Path) -> None:
    path = run_store.save(examples.run(checked=examples.check()), tmp_path)
    path.write_text(json.dumps(merged(json.loads(path.read_bytes()), with_confidence(1))))
    run_store.save(examples.run(1), tmp_path)  # the newest is read as a whole
    stored = run_store.list_runs(tmp_path)
    assert [run.seed for run in stored.runs] == [1]
    assert "interval.confidence" in stored.skipped[0]


@pytest.mark.parametrize("changes", [{}, {"trial": None}, {"check": None}, {"network": []}])
def test_a_run_is_listed_as_its_record_says(tmp_path: Path, changes: dict[str, Any]) -> None:
    content = json_text.to_json(records_fuzz.record())
    record = msgspec.convert(json.loads(content) | changes, RunRecord)
    run_store.save(record, tmp_path)
    (run,) = run_store.list_runs(tmp_path).runs
    assert run == listed_runs.of(record)
    assert run.operations == run_summary.operations(record)
    assert run.status == (record.check.verdict.status if record.check else None)
    evaluated = record.check or record.trial
    assert evaluated is not None
    metrics = evaluated.metrics
    assert metrics is not None
    assert (run.accuracy, run.loss) == (metrics.accuracy, metrics.loss)
    assert run.evaluated_on == ("test" if record.check else "validation")


@pytest.mark.parametrize(
    ("epochs", "found"), [((), "$.epochs"), (examples.run().epochs * 30_000, "more than 4,000,000")]
)
def test_a_record_that_could_not_be_read_back_is_not_written(
    tmp_path: Path, epochs: tuple[Epoch, ...], found: str
) -> None:
    with pytest.raises(InputRefusedError) as caught:
        run_store.save(replace(examples.run(), epochs=epochs), tmp_path)
    assert caught.value.reason == "record-invalid"
    assert found in caught.value.found
    assert not list(tmp_path.glob("*/run.json"))


def test_a_file_is_staged_where_the_next_command_clears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder of all runs, and not in that of one."""
    staged: list[Path] = []
    file = temporary.file

    def spy(parent: Path) -> AbstractContextManager[tuple[IO[bytes], Path]]:
        staged.append(parent)
        return file(parent)

    monkeypatch.setattr(temporary, "file", spy)
    run_store.save(examples.run(), tmp_path)
    predictions.save(np.zeros((1, 10), np.float32), tmp_path / examples.run().id)
    assert staged == [tmp_path, tmp_path]
