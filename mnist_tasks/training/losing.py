"""A worker that is lost ends the run of the others, with its name.

TensorFlow finds out itself: at once when a connection breaks, after some ten seconds when a worker
answers no longer. What it raises names the operation that failed; this finds the worker.
"""

from __future__ import annotations

import re
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mnist_tasks.errors import EnvironmentLacksError, printable
from mnist_tasks.training import meeting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mnist_tasks.training.cluster import Cluster


@contextmanager
def noticed(cluster: Cluster | None) -> Iterator[None]:
    """Turn TensorFlow's errors in a run of several workers into one that names who was lost.

    Raises
    ------
    EnvironmentLacksError
        A worker was lost.
    """
    if cluster is None:
        yield
        return
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        said = str(error)
        lost = [f"worker {number} ({cluster.addresses[number]})" for number in _lost(cluster, said)]
        raise EnvironmentLacksError(
            ", ".join(lost) or "the other workers",
            expected=f"{len(cluster.addresses)} workers until the end",
            found="no longer there" if lost else printable(said.strip().splitlines()[0]),
            remedy="Start all workers anew. Nothing was saved; an older model file is as it was.",
        ) from error


def _lost(cluster: Cluster, said: str) -> list[int]:
    """Return who refuses a connection, or else who is named, or else the leader if it is meant."""
    gone = [number for number, address in cluster.others.items() if not _listens(address)]
    named = {f"{job}:{index}" for job, index in re.findall(r"job:(\w+)/\S*?task:(\d+)", said)}
    accused = [number for number in cluster.others if cluster.tasks[number] in named]
    leader = [0] if cluster.me and "CoordinationService" in said else []
    return gone or accused or leader


def _listens(address: str) -> bool:
    try:
        socket.create_connection(meeting.split(address), timeout=meeting.ANSWER_WITHIN).close()
    except OSError:
        return False
    return True
