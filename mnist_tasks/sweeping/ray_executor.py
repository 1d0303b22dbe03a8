"""Run a sweep as tasks of Ray Core on every node of a cluster that has room.

Ray's object store copies the images to each node once; mnist-tasks itself has to be installed
there. This process writes all records.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import EnvironmentProblemError, printable
from mnist_tasks.sweeping import job as job_module
from mnist_tasks.sweeping import ray_cluster
from mnist_tasks.sweeping.events import Attempt, Event, Finished, Started, not_run
from mnist_tasks.sweeping.job import Images
from mnist_tasks.sweeping.plan import Job

NO_ROOM_TIMEOUT = 60.0  # seconds; a node may come back, or be replaced
_POLL_SECONDS = 1.0


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
        yield from _run(ray, jobs, load, workers or len(jobs))
    except ray_cluster.connection_errors(ray) as error:
        raise EnvironmentProblemError(
            "the Ray cluster",
            expected="a cluster that responds until the sweep is done",
            found=printable(f"{type(error).__name__}: {error}", limit=400),
            remedy="Rerun the sweep: finished runs are kept.",
        ) from error
    finally:
        ray.shutdown()


def _run(
    ray: Any, jobs: Sequence[Job], load: Callable[[], Images], max_running: int
) -> Generator[Event]:
    config = jobs[0].config
    needs = {"CPU": config.threads} | ({"GPU": 1} if config.device == "gpu" else {})
    _require_a_fitting_node(ray, needs)
    images = ray.put(_in_memory(load()))
    # TensorFlow's thread counts are set once in a process, and Ray runs any task in any process
    # unless each process runs only one.
    same_threads = len({job.micro_batches for job in jobs}) == 1 or config.threads == 1
    remote_run = ray.remote(
        num_cpus=needs["CPU"],
        num_gpus=needs.get("GPU", 0),
        max_retries=0,  # `Attempt` counts them
        max_calls=0 if same_threads else 1,
    )(job_module.run)
    waiting = deque(Attempt(job=job) for job in jobs)
    running: dict[Any, Attempt] = {}
    last_room = time.monotonic()
    while waiting or running:
        room = sum(_room(node, needs) for node in _nodes(ray))
        while waiting and len(running) < min(room, max_running):
            attempt = waiting.popleft()
            running[remote_run.remote(attempt.job, images, attempt.number)] = attempt
            yield Started(job=attempt.job)
        if room:
            last_room = time.monotonic()
        elif time.monotonic() - last_room > NO_ROOM_TIMEOUT:
            reason = f"no node with {_words(needs)} was alive for {NO_ROOM_TIMEOUT:g} s"
            for attempt in (*running.values(), *waiting):
                yield not_run(attempt.job, reason)
            return
        if not running:
            time.sleep(_POLL_SECONDS)
            continue
        ready, _ = ray.wait(list(running), timeout=_POLL_SECONDS)
        for task in ready:
            event, retry = _outcome(ray, task, running.pop(task))
            yield event
            if retry:
                waiting.appendleft(retry)


def _outcome(ray: Any, task: Any, attempt: Attempt) -> tuple[Event, Attempt | None]:
    """Return the outcome of a task that ended, and the next attempt if its worker died."""
    try:
        return Finished(job=attempt.job, outcome=ray.get(task)), None
    except ray.exceptions.RayTaskError as error:
        cause = printable(str(error.cause), limit=400)
        return not_run(attempt.job, f"the node can't run it: {cause}"), None
    except ray.exceptions.RayError as error:
        return attempt.worker_lost(f"its worker or its node died ({type(error).__name__})")


def _require_a_fitting_node(ray: Any, needs: dict[str, int]) -> None:
    """Raise an error if no node has what a run needs: Ray would wait forever, silently."""
    nodes = _nodes(ray)
    if any(_room(node, needs) for node in nodes):
        return
    listed = "; ".join(
        _words({kind: node.get(kind, 0) for kind in ("CPU", "GPU")}) for node in nodes
    )
    raise EnvironmentProblemError(
        "the Ray cluster",
        expected=f"a node with {_words(needs)}",
        found=f"{len(nodes)} alive: {listed}" if nodes else "no node is alive",
        remedy="Add such a node, or change --threads or --device.",
    )


def _nodes(ray: Any) -> list[dict[str, float]]:
    """Return the resources of each node that is alive."""
    return [dict(node["Resources"]) for node in ray.nodes() if node["Alive"]]


def _room(node: Mapping[str, float], needs: Mapping[str, float]) -> int:
    """Return how many runs fit on a node at once."""
    return min(int(node.get(kind, 0) // count) for kind, count in needs.items())


def _words(resources: Mapping[str, float]) -> str:
    """Return resources as they are shown: ``2 CPUs and 1 GPU``."""
    return " and ".join(
        f"{count:g} {kind}{'s' if count != 1 else ''}" for kind, count in resources.items()
    )


def _in_memory(images: Images) -> Images:
    """Copy memory-mapped arrays, whose files only this machine has."""

    def copied(split: LabeledImages) -> LabeledImages:
        return replace(split, images=np.array(split.images), labels=np.array(split.labels))

    return replace(images, training=copied(images.training), evaluation=copied(images.evaluation))
