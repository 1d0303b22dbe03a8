"""Slow servers, and what is never shown: real servers on the loopback interface."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks import locks
from mnist_tasks.data import download, fetching, web
from mnist_tasks.data.download import RetryPolicy
from mnist_tasks.data.local import Local
from mnist_tasks.data.sources import Mirror, Source
from mnist_tasks.errors import EnvironmentProblemError, MnistTasksError
from tests.data.test_sources import QUICK, Recorder, file_server, retrieve
from tests.server import send, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

SECRETS = ("secret", "c2VjcmV0")  # also as in an Authorization header


def slow_body(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    drip(request)


def slow_head(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(request)


def drip(request: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then: never silent for long, never done."""
    for _ in range(50):
        request.wfile.write(b"x")
        request.wfile.flush()
        time.sleep(0.1)


def test_a_server_that_is_faster_than_the_disk_fills_no_memory() -> None:
    sent: list[int] = []  # sizes of what the system took
    total = 64 << 20

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(total))
        request.end_headers()
        sent.extend(request.wfile.write(bytes(1 << 20)) for _ in range(64))

    with serve(answer) as url:
        items = web.receive(url, idle_timeout=600, deadline=time.monotonic() + 600)
        assert next(items) == web.Head(status=200, length=total)
        time.sleep(1)
        assert sum(sent) < total / 2
        assert sum(len(item) for item in items if isinstance(item, bytes)) == total


@pytest.mark.parametrize("answer", [slow_body, slow_head])
def test_a_deadline_holds_however_slow_the_server_is(
    tmp_path: Path, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    policy = RetryPolicy(idle_timeout=2, timeout=0.5, delays=(1, 1))
    start = time.monotonic()
    with serve(answer) as url:
        with pytest.raises(EnvironmentProblemError) as caught:
            download.download(url, tmp_path / "file", policy=policy, progress=Recorder())
        elapsed = time.monotonic() - start
    assert caught.value.found == "too slow: not complete after 0.5 s"
    assert elapsed < 4


def test_a_slow_source_holds_neither_the_next_one_nor_the_lock(
    small_mnist: Path, tmp_path: Path
) -> None:
    cache, policy = tmp_path / "cache", RetryPolicy(idle_timeout=2, timeout=0.2, delays=(1, 1))
    with serve(slow_body) as url:
        sources: list[Source] = [Mirror("slow", url, policy), Local(small_mnist)]
        result = fetching.fetch(cache, sources, progress=Recorder())
    assert {file.source for file in result.files} == {str(small_mnist)}
    (failure,) = result.failures
    assert failure.endswith("too slow: not complete after 0.2 s")
    with locks.locked(cache, timeout=0):
        pass


def test_retries_end_at_the_deadline(tmp_path: Path) -> None:
    policy = RetryPolicy(timeout=1, delays=(0.01, 60))
    with serve(lambda request: send(request, b"", status=503)) as url:  # noqa: SIM117
        with pytest.raises(EnvironmentProblemError, match=r"status 503 \(2 tries\)"):
            download.download(url, tmp_path / "file", policy=policy, progress=Recorder())


@pytest.mark.parametrize(
    ("status", "body"), [(404, b""), (503, b""), (200, b"no data"), (200, b"PK\x03\x04 damaged")]
)
def test_a_signed_address_is_never_shown(tmp_path: Path, status: int, body: bytes) -> None:
    seen = Recorder()
    with serve(lambda request: send(request, body, status=status)) as url:
        address = f"{url.replace('://', '://me:secret@')}mnist.npz?X-Signature=secret&a=b"
        with pytest.raises(MnistTasksError) as caught:
            retrieve(Mirror("mirror", address, QUICK), tmp_path / "staging", seen)
    error = caught.value
    shown = [error.subject, error.found, str(error.expected), *seen.notes, *seen.begun]
    assert not [text for text in shown if any(secret in text for secret in SECRETS)]
    assert "mnist.npz?***" in error.subject


def test_no_thread_outlives_a_download(small_mnist: Path, tmp_path: Path) -> None:
    before = threading.active_count()
    with serve(file_server(small_mnist)) as url:
        retrieve(Mirror("mirror", url, QUICK), tmp_path / "staging")
    assert threading.active_count() <= before + 1
