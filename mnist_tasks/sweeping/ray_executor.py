"""The engine on many machines: runs as tasks of Ray Core, on every node that has room.

The images travel through Ray's object store, once to each node; mnist-tasks itself has to be
installed on every node. The records are written here, by the process that began the sweep.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from mnist_tasks import install
from mnist_tasks.errors import EnvironmentProblemError, printable
from mnist_tasks.sweeping import job as job_module
from mnist_tasks.sweeping.events import Began, Ended, Task, given_up

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.sweeping.events import Event
    from mnist_tasks.sweeping.job import Failed, Images, Result
    from mnist_tasks.sweeping.plan import Job

SECONDS_WITHOUT_ROOM = 60.0  # a node may come back, or be replaced
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_ANSWER = 10.0


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a node must have for one run."""

    cpus: int
    gpus: int = 0

    @property
    def words(self) -> str:
        """The needs as they are shown: ``2 CPUs and 1 GPU``."""
        cpus = f"{self.cpus} CPU{'s' if self.cpus != 1 else ''}"
        return f"{cpus} and {self.gpus} GPU" if self.gpus else cpus

    def room(self, resources: dict[str, float]) -> int:
        """Return how many runs a node has room for at once."""
        room = int(resources.get("CPU", 0) // self.cpus)
        return min(room, int(resources.get("GPU", 0) // self.gpus)) if self.gpus else room


def run(
    jobs: Sequence[Job],
    *,
    load: Callable[[], Images],
    address: str | None,
    most: int | None = None,
) -> Generator[Event]:
    """Run jobs on a Ray cluster and tell what becomes of each.

    Parameters
    ----------
    address
        ``ray://host:port``; ``None`` takes the cluster that RAY_ADDRESS names or that runs on this
        machine, and starts one where there is none.
    most
        How many runs at once; by default as many as the cluster has room for.

    Raises
    ------
    EnvironmentProblemError
        Ray is not installed, the cluster can't be reached or was lost, or none of its nodes can
        ever run this.
    """
    if not jobs:
        return
    ray = _import()
    _connect(ray, address)
    try:
        yield from _Sweeper(ray, jobs, most).run(_in_memory(load()))
    except _losses(ray) as error:
        raise EnvironmentProblemError(
            "the Ray cluster",
            expected="one that answers until the sweep is done",
            found=printable(f"{type(error).__name__}: {error}", limit=400),
            remedy="Begin the same sweep again: what is done stays.",
        ) from error
    finally:
        ray.shutdown()


class _Sweeper:
    """A sweep on a cluster that this process is connected to."""

    def __init__(self, ray: Any, jobs: Sequence[Job], most: int | None) -> None:
        config = jobs[0].config
        self._ray = ray
        self._needs = Needs(cpus=config.threads, gpus=0 if config.device == "cpu" else 1)
        self._most = most or len(jobs)
        self._waiting = deque(Task(job=job) for job in jobs)
        self._running: dict[Any, Task] = {}
        # TensorFlow's threads are set once in a process, and Ray gives a process any task.
        has_one_kind = len({job.micro_batches for job in jobs}) == 1 or config.threads == 1
        self._remote = ray.remote(
            num_cpus=self._needs.cpus,
            num_gpus=self._needs.gpus,
            max_retries=0,  # attempts are counted here, as on one machine
            max_calls=0 if has_one_kind else 1,
        )(job_module.attempt)

    def run(self, images: Images) -> Generator[Event]:
        self._refuse_the_impossible()
        reference = self._ray.put(images)
        without_room = 0.0
        while self._waiting or self._running:
            room = self._room()
            while self._waiting and len(self._running) < min(room, self._most):
                task = self._waiting.popleft()
                number = task.attempt
                self._running[self._remote.remote(task.job, reference, number)] = task
                yield Began(job=task.job)
            without_room = 0.0 if room else without_room or time.monotonic()
            if without_room and time.monotonic() - without_room > SECONDS_WITHOUT_ROOM:
                yield from self._give_up()
                return
            if not self._running:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
                continue
            ready, _ = self._ray.wait(list(self._running), timeout=_SECONDS_BETWEEN_LOOKS)
            for each in ready:
                yield self._hear(each)

    def _refuse_the_impossible(self) -> None:
        """Look at the nodes first: Ray would wait for ever, without a word."""
        nodes = self._nodes()
        if any(self._needs.room(resources) for resources in nodes):
            return
        listed = "; ".join(
            f"{resources.get('CPU', 0):g} CPUs and {resources.get('GPU', 0):g} GPUs"
            for resources in nodes
        )
        raise EnvironmentProblemError(
            "the Ray cluster",
            expected=f"a node with {self._needs.words}",
            found=f"{len(nodes)} alive: {listed}" if nodes else "no node is alive",
            remedy="Add such a node, or ask for less with --threads and --device.",
        )

    def _nodes(self) -> list[dict[str, float]]:
        return [dict(node["Resources"]) for node in self._ray.nodes() if node["Alive"]]

    def _room(self) -> int:
        return sum(self._needs.room(resources) for resources in self._nodes())

    def _hear(self, reference: Any) -> Event:
        task = self._running.pop(reference)
        try:
            outcome: Result | Failed = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            reason = f"the node can't run it: {printable(str(error.cause), limit=400)}"
            return Ended(job=task.job, outcome=given_up(task.job, reason))
        except self._ray.exceptions.RayError as error:
            name = type(error).__name__
            event, again = task.lost(f"its worker or its node died ({name})")
            if again:
                self._waiting.appendleft(again)
            return event
        return Ended(job=task.job, outcome=outcome)

    def _give_up(self) -> Generator[Event]:
        """Name every run that is left, when the cluster has had no room for too long."""
        reason = f"for {SECONDS_WITHOUT_ROOM:g} s no node was alive that has {self._needs.words}"
        for task in (*self._running.values(), *self._waiting):
            yield Ended(job=task.job, outcome=given_up(task.job, reason))


def _import() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Without it a task that asks for no GPU has its GPUs hidden, and Ray warns that this will end.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise EnvironmentProblemError(
            "--on ray",
            expected="Ray",
            found=f"it can't be imported: {printable(str(error))}",
            remedy=f"Run {install.command('cluster')}.",
        ) from error
    return ray


def _connect(ray: Any, address: str | None) -> None:
    try:
        if address:  # Ray itself would try for half a minute
            place = urlsplit(address)
            socket.create_connection((place.hostname, place.port), _SECONDS_TO_ANSWER).close()
        _init(ray, address)
    except Exception as error:
        raise EnvironmentProblemError(
            f"--on {address or 'ray'}",
            expected="a Ray cluster that answers",
            found=printable(f"{type(error).__name__}: {error}", limit=400),
            remedy="Start one with `ray start --head`, or mend the address; every node and this "
            "process need the same versions of Python and Ray; where the cluster asks for a token, "
            "set RAY_AUTH_MODE=token here, and RAY_AUTH_TOKEN_PATH to a file with the same one.",
        ) from error


def _init(ray: Any, address: str | None) -> None:
    """Connect, and once again where it takes that.

    A cluster forks a server for each client out of a process with threads in gRPC, and about one in
    25 of these died at once on a busy machine (Ray 2.60).
    """
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    ends_us = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, **options)
    except ConnectionAbortedError:
        ray.init(address=address, **options)
    finally:  # Ray's own handler ends with exit code 1, which is a broken contract's
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, ends_us)


def _losses(ray: Any) -> tuple[type[Exception], ...]:
    """Return what Ray raises where a whole cluster is lost: also what its transport does."""
    kinds = (ConnectionError, ray.exceptions.RayError)
    grpc = sys.modules.get("grpc")  # only a client of another machine's cluster has it
    return (*kinds, grpc.RpcError) if grpc else kinds


def _in_memory(images: Images) -> Images:
    """Read what is mapped from files, which only this machine has."""

    def read(digits: LabeledImages) -> LabeledImages:
        return replace(digits, images=np.array(digits.images), labels=np.array(digits.labels))

    return replace(images, training=read(images.training), judged=read(images.judged))
