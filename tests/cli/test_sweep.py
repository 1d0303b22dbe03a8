"""The command ``sweep`` with real processes, some of which are killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks import run_store
from mnist_tasks.environment import gpu
from tests.conftest import SMALL_CLI, end_group, restore_ctrl_c
from tests.json_output import error_of, result_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    Cli = Callable[..., subprocess.CompletedProcess[str]]

TIMEOUT = 600
LONG = ("--set", "epochs=1000", "--set", "batch_size=4")
QUICK = ("--limit", "60", "--set", "batch_size=20", "--offline")


Begin = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Start sweeps on the small data set; end them after the test."""
    started = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(SMALL_CLI), str(tmp_path / "data"), "sweep", *arguments],
            cwd=tmp_path,
            env={**os.environ, "MNIST_TASKS_DATA": str(tmp_path / "data")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=restore_ctrl_c,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        end_group(process)


def wait_until(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    """Wait until a running sweep fulfills a condition."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def processes_with_environment(text: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return [each for each in found if each != os.getpid()]


def wait_until_gone(text: str) -> None:
    end = time.monotonic() + TIMEOUT
    while processes_with_environment(text):
        assert time.monotonic() < end, "workers outlived their sweep"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_run_of_a_sweep_equals_a_single_training(small_cli: Cli, tmp_path: Path) -> None:
    swept = small_cli("sweep", "--seeds", "3,4", "--set", "max_shift=0,1", *QUICK, "--json")
    assert swept.returncode == 0, swept.stderr
    result = result_of(swept)
    assert (result["runs"], result["done"], result["failed"]) == (4, 4, [])
    assert result["images"] == 85
    assert re.fullmatch(r"sweeps/[0-9a-f]{8}", result["folder"])
    lines = swept.stderr.splitlines()
    assert [line.split()[0] for line in lines] == ["1/4", "2/4", "3/4", "4/4"]

    records = run_store.read_all(tmp_path / result["folder"]).records
    assert len(records) == 4
    digests = {each.trial.digest for each in records if each.trial}
    assert len(digests) == 2  # of two settings
    assert all(re.fullmatch(r"[0-9a-f]{8}", digest) for digest in digests)
    record = next(each for each in records if each.seed == 4 and each.recipe["max_shift"] == 1)
    options = record.command.split()[2:]
    options[options.index("--output") + 1] = "single.h5"
    trained = small_cli("train", *options, "--offline", "--json")
    assert trained.returncode == 0, trained.stderr
    single = result_of(trained)
    assert single["model"]["sha256"] == record.model.sha256
    assert single["epochs"][-1]["loss"] == record.epochs[-1].loss
    assert (tmp_path / "single.h5").read_bytes() == (tmp_path / record.model.path).read_bytes()

    again = small_cli("sweep", "--seeds", "3,4", "--set", "max_shift=0,1", *QUICK)
    assert "4 of 4 runs were already done" in again.stderr
    assert "4 of 4 runs done, 4 of them earlier" in again.stdout
    listed = small_cli("runs", "--runs", result["folder"], "--json")
    assert len(result_of(listed)["runs"]) == 4


@pytest.mark.slow
def test_a_sweep_killed_again_and_again_loses_and_repeats_nothing(
    begin: Begin, small_cli: Cli, tmp_path: Path
) -> None:
    arguments = ("--seeds", "0-7", *QUICK, "--workers", "2", "--output", "swept")
    random = np.random.default_rng(6)
    seen: dict[str, bytes] = {}
    for is_training in (False, True, True):
        process = begin(*arguments)
        if is_training:  # otherwise at any moment before
            wait_until(process, lambda: len(_records(tmp_path)) > len(seen))  # noqa: B023
        time.sleep(random.uniform(0, 1 if is_training else 3))
        process.kill()
        process.communicate()
        # Every record is complete, and the earlier ones are unchanged.
        found = run_store.read_all(tmp_path / "swept")
        assert found.skipped == ()
        now = {each.id: _record(tmp_path, each.id) for each in found.records}
        assert all(now[name] == content for name, content in seen.items())
        for record in found.records:
            assert (tmp_path / record.model.path).stat().st_size == record.model.bytes
        seen = now
    assert len(seen) >= 2
    last = small_cli("sweep", *arguments, "--json")
    assert last.returncode == 0, last.stderr
    result = result_of(last)
    assert (result["runs"], result["done"], result["kept"]) == (8, 8, len(seen))
    for name, content in seen.items():
        assert _record(tmp_path, name) == content
    wait_until_gone(str(tmp_path / "data"))
    left = {path.name for path in (tmp_path / "swept").iterdir()} - {".lock"}
    assert left == {"sweep.json", *(each["id"] for each in _records(tmp_path))}
    for each in _records(tmp_path):
        assert {path.name for path in (tmp_path / "swept" / each["id"]).iterdir()} == {
            "run.json",
            "model.h5",
        }


def _record(folder: Path, name: str) -> bytes:
    return (folder / "swept" / name / "run.json").read_bytes()


def _records(folder: Path) -> list[Any]:
    return [json.loads(path.read_bytes()) for path in (folder / "swept").glob("*/run.json")]


@pytest.mark.slow
def test_workers_end_when_their_sweep_is_killed(begin: Begin, tmp_path: Path) -> None:
    process = begin("--seeds", "0,1", *LONG, "--offline")
    wait_until(process, lambda: len(processes_with_environment(str(tmp_path / "data"))) >= 3)
    time.sleep(5)  # during a run, which takes minutes
    assert process.poll() is None
    process.kill()
    process.communicate()
    wait_until_gone(str(tmp_path / "data"))


@pytest.mark.slow
def test_ctrl_c_ends_a_sweep_and_its_workers(begin: Begin, tmp_path: Path) -> None:
    process = begin("--seeds", "0-99", *QUICK, "--workers", "2")
    wait_until(process, lambda: len(processes_with_environment(str(tmp_path / "data"))) >= 3)
    time.sleep(0.3)  # while the workers import their modules
    os.killpg(process.pid, signal.SIGINT)  # to the whole group, as a terminal does
    _, stderr = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "retrying" not in stderr
    assert "KeyboardInterrupt" not in stderr
    assert "Interrupted. Every file on disk is complete" in stderr
    assert "Traceback" not in stderr
    wait_until_gone(str(tmp_path / "data"))


@pytest.mark.slow
def test_failed_runs_are_reported_and_decide_the_exit_code(small_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(
        "seeds = [0]\nlimit = 400\n[[settings]]\nlearning_rate = 1e30\n"
        "[[settings]]\nlearning_rate = 0.1\n"
    )
    done = small_cli("sweep", "plan.toml", "--offline", "--workers", "1")
    assert done.returncode == 2
    assert "default learning_rate=1e+30, seed 0 failed" in done.stderr
    assert "failed: default learning_rate=1e+30, seed 0: 1e+30: the loss is" in done.stdout
    assert "1 of 2 runs done" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        (("--seeds", "x"), "--seeds"),
        (("--seeds", ""), "--seeds"),
        (("--set", "pancakes=1"), "--set pancakes"),
        (("--set", "max_shift=1", "--set", "max_shift=2"), "--set max_shift"),
        (("--recipe", "pancakes"), "--recipe"),
        (("--limit", "50001"), "--limit"),
        (("--threads", "0"), "--threads"),
        (("--on", "the moon"), "--on"),
        (("--on", "ray://"), "--on"),
        (("--on", "ray://host"), "--on"),
        (("--device", "auto"), "--device"),
        (("plan.toml", "--seeds", "1"), "--seeds"),
    ],
)
def test_an_invalid_sweep_is_refused_at_once(
    cli: Cli, arguments: tuple[str, ...], subject: str, tmp_path: Path
) -> None:
    done = cli("sweep", *arguments, "--offline", "--json", "--data-dir", str(tmp_path / "empty"))
    assert done.returncode == 2, done.stdout
    assert error_of(done)["subject"] == subject
    assert not (tmp_path / "sweeps").exists()


def test_a_missing_gpu_is_refused_at_once(cli: Cli) -> None:
    if gpu.detect().gpus:
        pytest.skip("there is a GPU here")
    done = cli("sweep", "--device", "gpu", "--offline", "--json")
    assert done.returncode == 4
    assert error_of(done)["subject"] == "--device gpu"


def test_a_missing_ray_is_reported(cli: Cli, small_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('no Ray here')")
    env = {"PYTHONPATH": str(tmp_path)}
    done = small_cli("sweep", *QUICK, "--on", "ray", "--json", env=env)
    assert done.returncode == 4
    error = error_of(done)
    assert error["found"] == "it can't be imported: no Ray here"
    assert "[cluster]" in error["remedy"]
