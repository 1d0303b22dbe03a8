"""The workers of a run find each other before TensorFlow starts.

TensorFlow waits for its peers in C++, for an hour, deaf to Ctrl-C. So each worker first listens at
its address itself, and asks at all others until they answer that they want the same: a worker that
never comes, another program on the port and other settings are named within a bounded time.
"""

from __future__ import annotations

import errno
import hashlib
import socket
import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from mnist_tasks.errors import EnvironmentLacksError, WrongUsageError

if TYPE_CHECKING:
    from mnist_tasks.training.cluster import Cluster

PATIENCE = 60.0  # seconds until all have to be there
ANSWER_WITHIN = 2.0  # seconds
LONGEST = 200  # bytes of a greeting
_PAUSE = 0.1


def meet(cluster: Cluster, *, purpose: str, patience: float = PATIENCE) -> None:
    """Return when every worker of a cluster is there and has seen this one.

    Parameters
    ----------
    purpose
        What has to be the same for all: they compare a hash of it.

    Raises
    ------
    EnvironmentLacksError
        The port is taken, or a worker does not come.
    WrongUsageError
        A worker has another purpose.
    """
    greeting = f"mnist-tasks {hashlib.sha256(purpose.encode()).hexdigest()}"
    said: dict[int, str] = {}
    asked: dict[int, str] = {}
    end = time.monotonic() + patience
    with _listen(cluster.addresses[cluster.me]) as listener:
        # In a thread, since two that only ask would wait for each other.
        answering = Thread(target=_answer, args=(listener, greeting, asked), daemon=True)
        answering.start()
        while missing := [n for n in cluster.others if n not in said or n not in asked]:
            if time.monotonic() > end:
                raise _absent(cluster, missing, patience)
            for number in missing:
                if number not in said and (answer := _ask(cluster, number, greeting)):
                    said[number] = answer
            for number, other in {**said, **asked}.items():
                if other != greeting and number in cluster.others:
                    raise _disagreeing(cluster, number)
            time.sleep(_PAUSE)
        listener.shutdown(socket.SHUT_RDWR)
        answering.join()


def split(address: str) -> tuple[str, int]:
    """Return host and port of an address.

    >>> split("host-a:2222")
    ('host-a', 2222)
    """
    host, _, port = address.rpartition(":")
    return host, int(port)


def _listen(address: str) -> socket.socket:
    _, port = split(address)
    try:
        return socket.create_server(("", port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise EnvironmentLacksError(
            address,
            expected="a port that this worker can listen at",
            found="another program has the port" if taken else error.strerror or str(error),
            remedy="End that program, or give the worker another port in TF_CONFIG, everywhere.",
        ) from error


def _answer(listener: socket.socket, greeting: str, asked: dict[int, str]) -> None:
    """Tell those who ask what this worker wants, and hear who they are, until the listener ends."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError, ValueError):
            connection.settimeout(ANSWER_WITHIN)
            connection.sendall(greeting.encode())
            their, number = _hear(connection).rsplit(maxsplit=1)
            asked[int(number)] = their


def _ask(cluster: Cluster, number: int, greeting: str) -> str:
    """Return what another worker wants; empty where it is not there."""
    try:
        with socket.create_connection(
            split(cluster.addresses[number]), timeout=ANSWER_WITHIN
        ) as connection:
            connection.sendall(f"{greeting} {cluster.me}".encode())
            connection.shutdown(socket.SHUT_WR)
            answer = _hear(connection)
    except OSError:
        return ""
    return answer if answer.startswith("mnist-tasks ") else ""


def _hear(connection: socket.socket) -> str:
    """Return all that the other end says, which is little."""
    heard = b""
    while len(heard) < LONGEST and (more := connection.recv(LONGEST)):
        heard += more
    return heard.decode(errors="replace")


def _disagreeing(cluster: Cluster, number: int) -> WrongUsageError:
    return WrongUsageError(
        f"worker {number} ({cluster.addresses[number]})",
        expected="the same recipe, options, data, versions and number of devices as here",
        found="others",
        remedy="Start all workers with the same command line, installation and devices.",
    )


def _absent(cluster: Cluster, missing: list[int], patience: float) -> EnvironmentLacksError:
    names = ", ".join(f"worker {number} ({cluster.addresses[number]})" for number in missing)
    return EnvironmentLacksError(
        names,
        expected=f"{len(cluster.addresses)} workers within {patience:g} s",
        found="no answer",
        remedy="Start all workers of TF_CONFIG within that time, and let their ports through.",
    )
