"""One run in two real processes, which share it over the loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests import conftest
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow
# Few and small steps, so that rounding decides nothing; the last batch is one of 11 images.
SHORT = ("--batch-size", "50", "--limit", "161", "--learning-rate", "0.01")
LONG = ("--epochs", "1000")
PREVIOUS = b"the previous model"


class Worker:
    """A process in a folder of its own, which holds the model of an earlier run."""

    def __init__(self, folder: Path, ports: list[int], number: int, arguments: tuple[str, ...]):
        self.folder = folder / str(number)
        self.folder.mkdir()
        self.model = self.folder / "model_latest.h5"
        self.model.write_bytes(PREVIOUS)
        self.address = f"127.0.0.1:{ports[number]}"
        config = {
            "cluster": {"worker": [f"127.0.0.1:{port}" for port in ports]},
            "task": {"type": "worker", "index": number},
        }
        command = [sys.executable, str(conftest.SMALL_CLI), str(self.folder / "data")]
        self.errors = self.folder / "stderr"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*command, "train", "--json", "--threads", "1", *arguments],
                cwd=self.folder,
                env={
                    **os.environ,
                    "MNIST_TASKS_DATA": str(self.folder / "data"),
                    "TF_CONFIG": json.dumps(config),
                },
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=conftest.hear_ctrl_c,
                start_new_session=True,
            )

    def end(self, timeout: float = 60) -> tuple[int, dict[str, Any]]:
        """Wait for the end, and return the exit code and what was printed."""
        output, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, json.loads(output or "{}")

    def trains(self) -> bool:
        return "epoch 2/" in self.errors.read_text()


@pytest.fixture
def workers(tmp_path: Path) -> Any:
    """Start two workers; what is left of them at the end is ended."""
    started: list[Worker] = []

    def start(*arguments: str) -> list[Worker]:
        ports = free_ports(2)
        started.extend(Worker(tmp_path, ports, number, arguments) for number in (0, 1))
        return started

    yield start
    for worker in started:
        conftest.end_group(worker.process)


def training(workers: Callable[..., list[Worker]]) -> list[Worker]:
    """Start two workers that train for long, and wait until they are at it."""
    started = workers(*LONG)
    end = time.monotonic() + 60
    while not all(worker.trains() for worker in started):
        assert time.monotonic() < end, [worker.errors.read_text() for worker in started]
        assert all(worker.process.poll() is None for worker in started)
        time.sleep(0.2)
    return started


def test_two_workers_train_one_model(
    workers: Callable[..., list[Worker]], small_cli: Callable[..., conftest.Run]
) -> None:
    chief, other = workers(*SHORT)
    ends = [worker.end() for worker in (chief, other)]
    assert [code for code, _ in ends] == [0, 0], chief.errors.read_text()
    records = [record for _, record in ends]

    assert records[0]["model"]["sha256"] == records[1]["model"]["sha256"]
    assert [record["machine"]["worker"] for record in records] == [0, 1]
    assert [record["machine"]["workers"] for record in records] == [2, 2]
    assert [record["machine"]["replicas"] for record in records] == [2, 2]
    assert chief.model.stat().st_size == records[0]["model"]["bytes"]
    assert other.model.read_bytes() == PREVIOUS
    assert [path.parent.name for path in chief.folder.glob("runs/*/run.json")] == [records[0]["id"]]
    assert list(other.folder.glob("runs/*")) == []

    alone = small_cli("train", "--json", "--threads", "2", *SHORT)
    (epoch,) = json.loads(alone.stdout)["epochs"]
    for record in records:
        assert record["epochs"][0]["accuracy"] == epoch["accuracy"]
        assert record["epochs"][0]["loss"] == pytest.approx(epoch["loss"], rel=1e-4)


@pytest.mark.parametrize(
    ("lost", "how"), [(0, signal.SIGKILL), (1, signal.SIGKILL), (0, signal.SIGSTOP)]
)
def test_a_lost_worker_ends_the_other(
    workers: Callable[..., list[Worker]], lost: int, how: signal.Signals
) -> None:
    started = training(workers)
    left = started[1 - lost]
    # What freezes a machine freezes all of its processes; one that is killed takes the other along.
    signals = os.killpg if how == signal.SIGSTOP else os.kill
    signals(started[lost].process.pid, how)
    code, printed = left.end(timeout=60)
    assert code == 4, left.errors.read_text()
    assert printed["error"]["subject"] == f"worker {lost} ({started[lost].address})"
    assert left.model.read_bytes() == PREVIOUS
    assert list(left.folder.glob("runs/*")) == []


def test_ctrl_c_ends_both(workers: Callable[..., list[Worker]]) -> None:
    chief, other = training(workers)
    chief.process.send_signal(signal.SIGINT)
    assert chief.end()[0] == 130
    code, printed = other.end()
    assert code == 4
    assert printed["error"]["subject"] == f"worker 0 ({chief.address})"


def test_other_settings_are_refused_before_anything_starts(tmp_path: Path) -> None:
    ports = free_ports(2)
    both = [Worker(tmp_path, ports, number, ("--seed", str(number))) for number in (0, 1)]
    for worker in both:
        code, printed = worker.end()
        assert code == 2
        assert "same command line" in printed["error"]["remedy"]


def test_a_tf_config_that_cant_be_is_wrong_usage(cli: Callable[..., conftest.Run]) -> None:
    done = cli("train", env={"TF_CONFIG": "{"})
    assert done.returncode == 2
    assert "TF_CONFIG" in done.stderr
