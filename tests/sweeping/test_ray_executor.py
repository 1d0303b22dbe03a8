"""The Ray executor on a cluster of two real nodes on this machine, one of which is killed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
import types
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks import json_text, run_store
from mnist_tasks.sweeping import ray_cluster
from tests import json_output
from tests.conftest import SMALL_CLI
from tests.json_output import error_of
from tests.sweeping import ray_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import CommandLine
    from tests.sweeping.ray_nodes import Nodes

    Cli = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
QUICK = ("--limit", "60", "--set", "batch_size=20", "--offline")
HAS_RAY = importlib.util.find_spec("ray") is not None
REQUIRED = os.environ.get("REQUIRE_CLUSTER") == "1"


@pytest.fixture
def small_cli(small_cli: CommandLine) -> Cli:
    """Run the command line in a Python of its own, which starts threads and processes of Ray."""
    return partial(small_cli, fresh=True)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    if not HAS_RAY and not REQUIRED:
        pytest.skip("Ray is not installed: it is in the extra `cluster`")
    with ray_nodes.two_nodes() as found:
        yield found


def records(folder: Path) -> dict[int, dict[str, Any]]:
    """Return what does not depend on where a run took place: all but times, places and attempts."""
    found = {}
    for record in run_store.read_all(folder).records:
        plain = json.loads(json_text.to_json(record))
        for name in ("created", "order", "seconds", "command"):
            del plain[name]
        for epoch in plain["epochs"]:
            del epoch["seconds"], epoch["images_per_second"]
        del plain["trial"]["worker"], plain["trial"]["attempts"], plain["model"]["path"]
        del plain["machine"]["cores"]
        assert record.seed is not None
        found[record.seed] = plain
    return found


def test_the_records_equal_those_of_local_workers(
    nodes: Nodes, small_cli: Cli, tmp_path: Path
) -> None:
    arguments = ("sweep", "--seeds", "0-3", *QUICK)
    here = small_cli(*arguments, "--output", "here")
    assert here.returncode == 0, here.stderr
    there = small_cli(*arguments, "--on", nodes.address, "--output", "there")
    assert there.returncode == 0, there.stderr
    assert "4 of 4 runs done" in there.stdout
    assert records(tmp_path / "there") == records(tmp_path / "here")
    assert len(records(tmp_path / "there")) == 4
    found = run_store.read_all(tmp_path / "there").records
    assert len({each.trial.worker for each in found if each.trial}) >= 2


@pytest.mark.parametrize(
    ("options", "needs"),
    [(("--threads", "2"), "2 CPUs"), (("--device", "gpu"), "1 CPU and 1 GPU")],
)
def test_a_run_that_fits_no_node_is_refused_at_once(
    nodes: Nodes, small_cli: Cli, options: tuple[str, ...], needs: str
) -> None:
    start = time.monotonic()
    done = small_cli("sweep", *QUICK, *options, "--on", nodes.address, "--json")
    assert done.returncode == 4, done.stderr
    error = error_of(done)
    assert error["expected"] == f"a node with {needs}"
    assert error["found"] == "2 alive: 1 CPU and 0 GPUs; 1 CPU and 0 GPUs"
    assert time.monotonic() - start < 30


def test_a_cluster_that_does_not_respond_is_reported(nodes: Nodes, small_cli: Cli) -> None:
    (port,) = ray_nodes.free_ports()[:1]
    start = time.monotonic()
    done = small_cli("sweep", *QUICK, "--on", f"ray://{ray_nodes.HEAD}:{port}", "--json")
    assert time.monotonic() - start < 30
    assert done.returncode == 4, done.stderr
    error = error_of(done)
    assert error["expected"] == "a Ray cluster that responds"


def test_a_failed_connection_is_retried_once() -> None:
    calls = []

    def init(**_: object) -> None:
        calls.append("init")
        if len(calls) == 1:
            raise ConnectionAbortedError("Starting Ray client server failed.")

    ray_cluster._init(types.SimpleNamespace(init=init), None)
    assert len(calls) == 2


def test_no_run_is_lost_when_a_node_dies(nodes: Nodes, tmp_path: Path) -> None:
    """The second-to-last test, since it leaves one node."""
    runs = 6
    process = begin(nodes, tmp_path, runs=runs)
    assert process.stderr is not None
    while not has_done_a_run(nodes.other.pid, tmp_path / "swept"):
        line = process.stderr.readline()
        assert "default" in line, line + process.stderr.read()
    time.sleep(0.2)  # until it is in its next run
    ray_nodes.kill(nodes.other)
    stdout, stderr = process.communicate(timeout=600)
    result = json_output.of(stdout)["result"]
    assert result["runs"] == runs, stderr
    assert result["done"] + len(result["failed"]) == runs
    assert result["done"] >= runs - 2, stderr
    found = run_store.read_all(tmp_path / "swept")
    assert len(found.records) == result["done"]
    assert found.skipped == ()
    named = {each["seed"] for each in result["failed"]} | {each.seed for each in found.records}
    assert named == set(range(runs))
    assert "retrying" in stderr


def test_a_lost_cluster_is_reported_and_finished_runs_are_kept(
    nodes: Nodes, tmp_path: Path
) -> None:
    """The last test, since it leaves no node."""
    process = begin(nodes, tmp_path, runs=50)
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "default" in line, line + process.stderr.read()
    ray_nodes.kill(nodes.head)
    stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 4, stderr
    error = json_output.of(stdout)["error"]
    assert error["subject"] == "the Ray cluster"
    assert "finished runs are kept" in error["remedy"]
    assert len(run_store.read_all(tmp_path / "swept").records) >= 1


def begin(nodes: Nodes, folder: Path, *, runs: int) -> subprocess.Popen[str]:
    """Start a sweep whose runs are long enough to be interrupted."""
    command = ("sweep", "--seeds", f"0-{runs - 1}", *QUICK, "--set", "epochs=100", "--json")
    place = ("--on", nodes.address, "--output", "swept")
    return subprocess.Popen(
        [sys.executable, str(SMALL_CLI), str(folder / "data"), *command, *place],
        cwd=folder,
        env={**os.environ, "MNIST_TASKS_DATA": str(folder / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def has_done_a_run(node: int, folder: Path) -> bool:
    """Whether a process of a node has finished a run."""
    workers = [each.trial.worker for each in run_store.read_all(folder).records if each.trial]
    here = ray_nodes.family(node)
    return any(int(worker.rpartition(":")[2]) in here for worker in workers)
