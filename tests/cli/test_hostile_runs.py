"""A folder of runs that holds pipes, devices, vast files and records that no run wrote."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_tasks import run_store
from tests import examples
from tests.conftest import Run
from tests.json_output import result_of
from tests.vetting.crafted import handmade

Cli = Callable[..., Run]
pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no named pipes in folders"
)
HOSTILE = ("deep", "folder", "pipe", "sparse", "wild", "zero")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a checked run and every kind of hostile one."""
    runs = tmp_path / "runs"
    path = run_store.save(examples.run(checked=examples.check()), runs)
    os.mkfifo(path.with_name("predictions.npz"))
    for name in HOSTILE:
        (runs / name).mkdir()
    (runs / "deep" / "run.json").write_bytes(b'{"recipe":' + b'{"a":' * 100_000)
    (runs / "folder" / "run.json").mkdir()
    os.mkfifo(runs / "pipe" / "run.json")
    with (runs / "sparse" / "run.json").open("wb") as file:
        file.truncate(1 << 33)
    wild = json.loads(path.read_bytes())
    wild["check"]["metrics"]["confusion"][0][0] = -1
    wild["curve"][0]["step"] = 1e308
    (runs / "wild" / "run.json").write_text(json.dumps({**wild, "id": "wild"}))
    (runs / "zero" / "run.json").symlink_to("/dev/zero")
    return runs


def skipped(text: str) -> list[str]:
    return [name for name in HOSTILE if f"runs/{name}/run.json" in text.replace("\n", "")]


@pytest.mark.parametrize(
    ("words", "stream"),
    [
        ("runs", "stdout"),
        ("runs --json", "stdout"),
        ("runs show latest", "stderr"),
        ("runs prune --keep 1 --json", "stderr"),
        ("report --markdown report.md", "stdout"),
        ("report --json", "stdout"),
    ],
)
def test_hostile_runs_are_skipped_and_named(
    cli: Cli, folder: Path, words: str, stream: str
) -> None:
    done = cli(*words.split())
    assert done.returncode == 0, done.stderr
    assert skipped(getattr(done, stream)) == list(HOSTILE)
    if "--json" in words:
        result_of(done)
    if words.startswith("report"):
        page = folder / examples.run().id / "report.html"
        assert "predictions.npz" in page.read_text(encoding="utf-8")
        assert skipped(page.read_text(encoding="utf-8")) == list(HOSTILE)


@pytest.mark.slow
def test_a_check_gives_its_verdict(small_cli: Cli, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(handmade.write_keras(handmade.small()))
    done = small_cli("check", "model.keras", "--json", "--junit", "a.xml")
    assert done.returncode == 1, done.stderr
    assert result_of(done)["checks"][0]["status"] == "failed"
    assert (tmp_path / "a.xml").is_file()
    assert skipped(done.stderr) == list(HOSTILE)
