"""Who shares a run over several machines, as ``TF_CONFIG`` says. Nothing is asked of the network.

``TF_CONFIG`` is TensorFlow's own: a JSON object with the addresses of all workers, and which of
them this process is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnist_tasks.errors import WrongUsageError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "TF_CONFIG"
EXAMPLE = (
    '{"cluster": {"worker": ["host-a:2222", "host-b:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
JOBS = ("chief", "worker")
_ADDRESS = re.compile(r"[\w.-]+:(\d{1,5})", re.ASCII)  # TensorFlow listens on IPv4 only


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The workers of a run.

    Attributes
    ----------
    tasks
        As TensorFlow names them, the chief first: ``worker:0``.
    addresses
        Of each, ``host:port``.
    me
        Which of them this process is; 0 is the chief, who writes the model and the record.
    """

    tasks: tuple[str, ...]
    addresses: tuple[str, ...]
    me: int

    @property
    def others(self) -> dict[int, str]:
        """The addresses of all workers but this one, by their number."""
        return {
            number: address for number, address in enumerate(self.addresses) if number != self.me
        }


def read(environment: Mapping[str, str]) -> Cluster | None:
    """Return the cluster that this process is of; ``None`` where it is alone.

    Raises
    ------
    WrongUsageError
        ``TF_CONFIG`` does not say who the workers are, or which this one is.
    """
    text = environment.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"no JSON: {error}", "a JSON object") from error
    jobs = _object(_object(found, "the whole").get("cluster", {}), "cluster")
    if not jobs:
        return None
    if unknown := sorted(set(jobs) - set(JOBS)):
        raise _wrong(f"cluster.{unknown[0]}", "no jobs but chief and worker")
    workers = {
        f"{job}:{index}": _address(address, f"cluster.{job}[{index}]")
        for job in JOBS
        for index, address in enumerate(_list(jobs.get(job, []), f"cluster.{job}"))
    }
    if "chief:1" in workers:
        raise _wrong("cluster.chief has more than one address", "one chief at most")
    if len(set(workers.values())) < len(workers):
        raise _wrong("cluster names an address twice", "an address of its own for each worker")
    task = _task(_object(found.get("task"), "task"), workers)
    if len(workers) < 2:
        return None
    tasks = tuple(workers)
    return Cluster(tasks=tasks, addresses=tuple(workers.values()), me=tasks.index(task))


def _task(task: dict[str, Any], workers: dict[str, str]) -> str:
    job, index = task.get("type"), task.get("index")
    if job not in JOBS:
        raise _wrong(f"task.type is {json.dumps(job)}", "chief or worker")
    if not isinstance(index, int) or isinstance(index, bool) or f"{job}:{index}" not in workers:
        count = sum(name.startswith(f"{job}:") for name in workers)
        raise _wrong(
            f"task.index is {json.dumps(index)}",
            f"a number from 0 to {count - 1}" if count else f"cluster.{job} to have an address",
        )
    return f"{job}:{index}"


def _address(value: object, name: str) -> str:
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 0 < int(match[1]) < 65_536:
        raise _wrong(f"{name} is {json.dumps(value)}", "host:port, the port from 1 to 65535")
    return match[0]


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(f"{name} is {json.dumps(value)}", f"{name} to be a JSON object")
    return value


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(f"{name} is {json.dumps(value)}", f"{name} to be a list of host:port")
    return value


def _wrong(found: str, expected: str) -> WrongUsageError:
    return WrongUsageError(
        f"the environment variable {VARIABLE}",
        expected=expected,
        found=printable(found),
        remedy=f"Write it as in {EXAMPLE}, or unset it to train alone.",
    )
