"""The workers find each other, or say in time who is missing."""

from __future__ import annotations

import hashlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest

from mnist_tasks.errors import EnvironmentLacksError, MnistTasksError, WrongUsageError
from mnist_tasks.training import losing, meeting
from mnist_tasks.training.cluster import Cluster
from tests.ports import free_ports


def clusters(count: int) -> list[Cluster]:
    addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(count))
    tasks = tuple(f"worker:{number}" for number in range(count))
    return [Cluster(tasks=tasks, addresses=addresses, me=number) for number in range(count)]


def meet(cluster: Cluster, purpose: str, wait: float = 0.0) -> MnistTasksError | None:
    time.sleep(wait)
    try:
        meeting.meet(cluster, purpose=purpose, patience=5)
    except MnistTasksError as error:
        return error
    return None


def test_all_meet_also_who_comes_late() -> None:
    there = clusters(3)
    with ThreadPoolExecutor() as pool:
        errors = list(pool.map(meet, there, ["the same"] * 3, [0.0, 0.5, 1.0]))
    assert errors == [None] * 3
    for cluster in there:  # the ports are free for TensorFlow
        socket.create_server(("", meeting.split(cluster.addresses[cluster.me])[1])).close()


def test_who_wants_something_else_is_named_on_both_sides() -> None:
    with ThreadPoolExecutor() as pool:
        errors = list(pool.map(meet, clusters(2), ["this", "that"]))
    for error, other in zip(errors, (1, 0), strict=True):
        assert isinstance(error, WrongUsageError)
        assert f"worker {other}" in error.subject
        assert "same command line" in str(error.remedy)


def test_who_does_not_come_is_named_in_time() -> None:
    there = clusters(3)[0]
    begun = time.monotonic()
    with pytest.raises(EnvironmentLacksError) as caught:
        meeting.meet(there, purpose="", patience=0.5)
    assert time.monotonic() - begun < 5
    for number in (1, 2):
        assert f"worker {number} ({there.addresses[number]})" in caught.value.subject


def test_a_port_that_is_taken_is_named() -> None:
    there = clusters(2)[0]
    with (
        socket.create_server(("", meeting.split(there.addresses[0])[1])),
        pytest.raises(EnvironmentLacksError, match="another program has the port") as caught,
    ):
        meeting.meet(there, purpose="")
    assert caught.value.subject == there.addresses[0]


def test_another_program_at_a_workers_port_is_no_worker() -> None:
    there = clusters(2)[0]
    with socket.create_server(("", meeting.split(there.addresses[1])[1])) as other:
        with ThreadPoolExecutor() as pool:
            met = pool.submit(meet, there, "")
            connection, _ = other.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request")
            connection.close()
        other.close()
        assert isinstance(met.result(), EnvironmentLacksError)


def test_nobody_leaves_who_was_not_yet_seen() -> None:
    """Or the one who comes last would find TensorFlow in place of a worker."""
    there = clusters(2)[0]
    greeting = f"mnist-tasks {hashlib.sha256(b'').hexdigest()}"
    with socket.create_server(("", meeting.split(there.addresses[1])[1])) as silent:
        answers = Thread(target=meeting._answer, args=(silent, greeting, {}), daemon=True)
        answers.start()
        with pytest.raises(EnvironmentLacksError, match="no answer"):
            meeting.meet(there, purpose="", patience=0.5)
        silent.shutdown(socket.SHUT_RDWR)
        answers.join()


@pytest.mark.parametrize(
    ("me", "said", "lost"),
    [
        (0, "reported from /job:worker/task:1: unhealthy\n/job:worker/replica:0/task:1", [1]),
        (1, "Deadline Exceeded\nRPC: /tensorflow.CoordinationService/Heartbeat", [0]),
        (0, "something else", []),
    ],
)
def test_a_worker_that_listens_still_is_found_by_what_tensorflow_says(
    me: int, said: str, lost: list[int]
) -> None:
    there = clusters(2)[me]
    with socket.create_server(("", meeting.split(there.addresses[1 - me])[1])):
        assert losing._lost(there, said) == lost


def test_a_worker_that_listens_no_longer_is_lost() -> None:
    assert losing._lost(clusters(3)[1], "") == [0, 2]
