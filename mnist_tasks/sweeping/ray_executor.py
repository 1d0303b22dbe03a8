"""Run a sweep as tasks of Ray Core on every node of a cluster that has room.

Ray's object store copies the images to each node once; mnist-tasks itself has to be installed
there. This process writes all records.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_tasks.errors import EnvironmentProblemError, printable
from mnist_tasks.sweeping import job as job_module
from mnist_tasks.sweeping import ray_cluster
from mnist_tasks.sweeping.events import Attempt, Finished, Started, not_run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.sweeping.events import Event
    from mnist_tasks.sweeping.job import Failed, Images, Result
    from mnist_tasks.sweeping.plan import Job

NO_ROOM_TIMEOUT = 60.0  # seconds; a node may come back, or be replaced
_POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a node must have for one run."""

    cpus: int
    gpus: int = 0

    def __str__(self) -> str:
        cpus = f"{self.cpus} CPU{'s' if self.cpus != 1 else ''}"
        return f"{cpus} and {self.gpus} GPU" if self.gpus else cpus

    def room(self, resources: dict[str, float]) -> int:
        """Return how many runs fit on a node at once."""
        room = int(resources.get("CPU", 0) // self.cpus)
        return min(room, int(resources.get("GPU", 0) // self.gpus)) if self.gpus else room


def run(
    jobs: Sequence[Job],
    *,
    load: Callable[[], Images],
    address: str | None,
    workers: int | None = None,
) -> Generator[Event]:
    """Run jobs on a Ray cluster and yield what happens to each.

    Parameters
    ----------
    address
        ``ray://host:port``; ``None`` is the cluster that RAY_ADDRESS names or that runs on this
        machine, or else a new one.
    workers
        Maximum number of runs at once; by default as many as the cluster has room for.

    Raises
    ------
    EnvironmentProblemError
        Ray is not installed, the cluster can't be reached or was lost, or none of its nodes has
        what a run needs.
    """
    if not jobs:
        return
    ray = ray_cluster.connect(address)
    try:
        yield from _Scheduler(ray, jobs, workers).run(_in_memory(load()))
    except ray_cluster.connection_errors(ray) as error:
        raise EnvironmentProblemError(
            "the Ray cluster",
            expected="a cluster that responds until the sweep is done",
            found=printable(f"{type(error).__name__}: {error}", limit=400),
            remedy="Rerun the sweep: finished runs are kept.",
        ) from error
    finally:
        ray.shutdown()


class _Scheduler:
    """Submits attempts to a cluster and collects their outcomes."""

    def __init__(self, ray: Any, jobs: Sequence[Job], workers: int | None) -> None:
        config = jobs[0].config
        self._ray = ray
        self._needs = Needs(cpus=config.threads, gpus=0 if config.device == "cpu" else 1)
        self._max_running = workers or len(jobs)
        self._waiting = deque(Attempt(job=job) for job in jobs)
        self._running: dict[Any, Attempt] = {}
        # TensorFlow's thread counts are set once in a process, and Ray runs any task in any process
        # unless each process runs only one.
        same_threads = len({job.micro_batches for job in jobs}) == 1 or config.threads == 1
        self._remote_run = ray.remote(
            num_cpus=self._needs.cpus,
            num_gpus=self._needs.gpus,
            max_retries=0,  # `Attempt` counts them
            max_calls=0 if same_threads else 1,
        )(job_module.run)

    def run(self, images: Images) -> Generator[Event]:
        self._require_a_fitting_node()
        reference = self._ray.put(images)
        last_room = time.monotonic()
        while self._waiting or self._running:
            room = sum(map(self._needs.room, self._nodes()))
            while self._waiting and len(self._running) < min(room, self._max_running):
                attempt = self._waiting.popleft()
                task = self._remote_run.remote(attempt.job, reference, attempt.number)
                self._running[task] = attempt
                yield Started(job=attempt.job)
            if room:
                last_room = time.monotonic()
            elif time.monotonic() - last_room > NO_ROOM_TIMEOUT:
                reason = f"no node with {self._needs} was alive for {NO_ROOM_TIMEOUT:g} s"
                for attempt in (*self._running.values(), *self._waiting):
                    yield not_run(attempt.job, reason)
                return
            if not self._running:
                time.sleep(_POLL_SECONDS)
                continue
            ready, _ = self._ray.wait(list(self._running), timeout=_POLL_SECONDS)
            for task in ready:
                yield self._receive(task)

    def _require_a_fitting_node(self) -> None:
        """Raise an error if no node has what a run needs: Ray would wait forever, silently."""
        nodes = self._nodes()
        if any(map(self._needs.room, nodes)):
            return
        listed = "; ".join(
            f"{resources.get('CPU', 0):g} CPUs and {resources.get('GPU', 0):g} GPUs"
            for resources in nodes
        )
        raise EnvironmentProblemError(
            "the Ray cluster",
            expected=f"a node with {self._needs}",
            found=f"{len(nodes)} alive: {listed}" if nodes else "no node is alive",
            remedy="Add such a node, or change --threads or --device.",
        )

    def _nodes(self) -> list[dict[str, float]]:
        """Return the resources of each node that is alive."""
        return [dict(node["Resources"]) for node in self._ray.nodes() if node["Alive"]]

    def _receive(self, task: Any) -> Event:
        attempt = self._running.pop(task)
        try:
            outcome: Result | Failed = self._ray.get(task)
        except self._ray.exceptions.RayTaskError as error:
            cause = printable(str(error.cause), limit=400)
            return not_run(attempt.job, f"the node can't run it: {cause}")
        except self._ray.exceptions.RayError as error:
            name = type(error).__name__
            event, retry = attempt.worker_lost(f"its worker or its node died ({name})")
            if retry:
                self._waiting.appendleft(retry)
            return event
        return Finished(job=attempt.job, outcome=outcome)


def _in_memory(images: Images) -> Images:
    """Copy memory-mapped arrays, whose files only this machine has."""

    def copied(digits: LabeledImages) -> LabeledImages:
        return replace(digits, images=np.array(digits.images), labels=np.array(digits.labels))

    return replace(images, training=copied(images.training), evaluation=copied(images.evaluation))
