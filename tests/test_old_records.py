"""Records of schema 1 are read, listed, reported and compared like current ones."""

from __future__ import annotations

import json
import shutil
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks import old_records, run_store
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.records import SCHEMA
from tests import examples
from tests.json_output import result_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from mnist_tasks.records import RunRecord

    Cli = Callable[..., subprocess.CompletedProcess[str]]

#: As version 0.1.0 wrote it, before layers, filters and trials were recorded. Never edit it.
GOLDEN = Path(__file__).parent / "records" / "first" / "run.json"

TRIAL = {
    "settings": {"average": 0.99, "towers": 2, "batch_size": 256},
    "judged_by": "held-out",
    "metrics": {"confusion": [[1] * 10] * 10, "loss": 0.1},
    "worker": "here:1",
    "attempts": 2,
}
CLAUSES = [
    {"name": "parameters", "bound": "< 25,000", "found": "21,970", "status": "holds"},
    {"name": "test accuracy", "bound": "> 95.00%", "found": "90.00%", "status": "broken"},
    {
        "name": "worst recall",
        "bound": "> 90.00%",
        "found": "89.00%",
        "status": "inconclusive",
        "interval": {"low": 0.8, "high": 0.95, "confidence": 0.99},
    },
    {
        "name": "latency",
        "bound": "< 1 ms",
        "found": "not measured: the model made no predictions",
        "status": "unmeasured",
        "reason": "the model made no predictions",
    },
    {
        "name": "baseline",
        "bound": "no worse than old.h5 less 0.1 points",
        "found": "99.07% against 99.00%: 20 images lost, 27 won",
        "status": "holds",
    },
    {"name": "output shape", "bound": "(None, 10)", "found": "(None, 10)", "status": "holds"},
]


def golden() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(GOLDEN.read_bytes())
    return content


def read(folder: Path, content: Any) -> RunRecord:
    path = folder / "run.json"
    path.write_text(json.dumps(content))
    return run_store.read(path)


def test_the_golden_record_is_read() -> None:
    record = run_store.read(GOLDEN)
    assert record.schema == SCHEMA
    assert record.network == ()
    assert record.recipe["name"] == "default"
    assert record.check is not None
    assert record.check.metrics is not None
    assert record.check.metrics.accuracy == 0.9907
    assert record.check.verdict.passed
    assert [clause.direction for clause in record.check.verdict.clauses] == [
        "below",
        None,
        None,
        "above",
    ]


def test_the_golden_record_is_listed_reported_and_compared(cli: Cli, tmp_path: Path) -> None:
    old = golden()["id"]
    (tmp_path / "runs" / old).mkdir(parents=True)
    shutil.copy(GOLDEN, tmp_path / "runs" / old)
    new = examples.run(checked=examples.check(passed=False))
    run_store.save(new, tmp_path / "runs")

    listed = cli("runs", "--json")
    assert listed.returncode == 0, listed.stderr
    document = result_of(listed)
    assert document["skipped"] == []
    row = next(each for each in document["runs"] if each["id"] == old)
    assert (row["accuracy"], row["parameters"], row["contract"]) == (0.9907, 21970, "passed")

    reported = cli("report", old, "--markdown", "report.md")
    assert reported.returncode == 0, reported.stderr
    assert "99.07%" in reported.stdout
    assert "99.07%" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "99.07%" in (tmp_path / "runs" / old / "report.html").read_text(encoding="utf-8")

    compared = cli("report", old, new.id, "--json", "--no-html")
    assert compared.returncode == 0, compared.stderr
    assert [each["id"] for each in result_of(compared)["compared"]] == [old, new.id]


def test_recipe_settings_get_their_current_names(tmp_path: Path) -> None:
    content = golden()
    others = {"name": "default", "epochs": 1}
    content["recipe"] = {**dict.fromkeys(old_records.RENAMED_SETTINGS, 1), **others}
    recipe = read(tmp_path, content).recipe
    assert set(recipe) == {*old_records.RENAMED_SETTINGS.values(), *others}


def test_clauses_get_their_current_status_and_a_direction(tmp_path: Path) -> None:
    content = golden()
    content["check"]["verdict"]["clauses"] = CLAUSES
    check = read(tmp_path, content).check
    assert check is not None
    clauses = check.verdict.clauses
    assert [(clause.status, clause.direction) for clause in clauses] == [
        ("passed", "below"),
        ("failed", "above"),
        ("inconclusive", "above"),
        ("not measured", "below"),
        ("passed", None),
        ("passed", None),
    ]
    assert clauses[3].found == clauses[3].reason == "the model made no predictions"
    assert check.verdict.status == "failed"


@pytest.mark.parametrize(
    ("judged_by", "evaluated_on"), [("held-out", "validation"), ("test", "test")]
)
def test_a_trial_gets_its_current_names_and_digest(
    tmp_path: Path, judged_by: str, evaluated_on: str
) -> None:
    content = {
        **golden(),
        "id": "batch-norm-0123abcd-17",
        "trial": {**TRIAL, "judged_by": judged_by},
    }
    trial = read(tmp_path, content).trial
    assert trial is not None
    assert trial.evaluated_on == evaluated_on
    assert trial.digest == "0123abcd"
    assert trial.settings == {"ema_momentum": 0.99, "micro_batches": 2, "batch_size": 256}
    assert trial.attempts == 2


def test_a_trial_with_an_id_of_another_form_has_no_digest(tmp_path: Path) -> None:
    trial = read(tmp_path, {**golden(), "trial": TRIAL}).trial
    assert trial is not None
    assert trial.digest == ""


def test_an_upgrade_does_not_change_its_argument() -> None:
    content = {**golden(), "trial": deepcopy(TRIAL)}
    before = deepcopy(content)
    assert old_records.upgrade(content) != content
    assert content == before


def test_a_current_record_is_not_upgraded() -> None:
    content = {**golden(), "schema": SCHEMA}
    assert old_records.upgrade(content) is content


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"recipe": [1]}, "$.recipe"),
        ({"check": 3}, "$.check"),
        ({"check": {"verdict": None}}, "$.check"),
        ({"check": {"verdict": {"clauses": {}}}}, "$.check"),
        ({"check": {"verdict": {"clauses": [None, {"status": ["holds"]}]}}}, "$.check"),
        ({"trial": "none"}, "$.trial"),
        ({"trial": {}}, "$.trial"),
        ({"trial": {**TRIAL, "judged_by": {}}}, "$.trial.evaluated_on"),
        ({"trial": {**TRIAL, "settings": 3}}, "$.trial.settings"),
        ({"id": None, "trial": TRIAL}, "$.id"),
        ({"schema": "1"}, "$.check"),
        ({"epochs": []}, "$.epochs"),
    ],
    ids=str,
)
def test_a_malformed_old_record_is_skipped_and_named(
    tmp_path: Path, change: dict[str, Any], found: str
) -> None:
    run_store.save(examples.run(), tmp_path)
    (tmp_path / "old").mkdir()
    with pytest.raises(InputRefusedError) as caught:
        read(tmp_path / "old", {**golden(), **change})
    assert found in caught.value.found
    stored = run_store.read_all(tmp_path)
    assert [record.id for record in stored.records] == [examples.run().id]
    assert len(stored.skipped) == 1
    assert str(tmp_path / "old" / "run.json") in stored.skipped[0]
