"""Why a request failed: servers and proxies that refuse, and responses that are not valid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.data.sources import Mirror
from mnist_tasks.errors import EnvironmentProblemError, MnistTasksError
from tests.data.test_sources import QUICK, everything, file_server, retrieve
from tests.server import redirect, send, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler


def forbidding(request: BaseHTTPRequestHandler) -> None:
    send(request, b"", status=403)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with serve(forbidding) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.replace("://", "://me:secret@"))
        with pytest.raises(EnvironmentProblemError) as caught:
            retrieve(Mirror("mirror", f"{scheme}://x.invalid/", QUICK), tmp_path / "staging")
    name = proxy.strip("/").replace("http://", "***@")
    assert f"the proxy {name}" in caught.value.found
    assert "403" in caught.value.found
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        ("http://me:secret@127.0.0.1:9", "the proxy ***@127.0.0.1:9 can't be reached: connection"),
        ("me:secret@127.0.0.1:9", "(through the proxy ***@127.0.0.1:9)"),
        ("http://nowhere.invalid:1", "nowhere.invalid:1 can't be reached: the host name can't"),
        ("http://[nonsense", "(through the proxy [nonsense)"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_unreachable_proxy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, reason: str, scheme: str
) -> None:
    monkeypatch.setenv(f"{scheme}_proxy", proxy)
    with pytest.raises(MnistTasksError) as caught:
        retrieve(Mirror("mirror", f"{scheme}://x.invalid/", QUICK), tmp_path / "staging")
    assert reason in caught.value.found
    assert isinstance(caught.value, EnvironmentProblemError)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_that_asks_for_a_password_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    requests = []

    def unauthorized(request: BaseHTTPRequestHandler) -> None:
        requests.append(request.path)
        send(request, b"", status=407)

    with serve(unauthorized) as proxy:
        monkeypatch.setenv(name, proxy)
        with pytest.raises(EnvironmentProblemError) as caught:
            retrieve(Mirror("mirror", "http://x.invalid/", QUICK), tmp_path / "staging")
    found = f"the proxy {proxy[7:-1]} asks for a user name and password (status 407)"
    assert caught.value.found == found
    assert len(requests) == 1


def test_no_proxy_is_honoured(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve(file_server(small_mnist)) as url:
        assert retrieve(Mirror("mirror", url, QUICK), tmp_path / "staging") == everything()


def raw(content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(content)

    return answer


def status(code: int) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda request: send(request, b"", status=code)


def to(address: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda request: redirect(request, address)


GOOD = b"HTTP/1.1 200 OK\r\n"
INVALID = "a response that is not valid HTTP"
REDIRECTED = "a redirection to an address that is not http:// or https://"


@pytest.mark.parametrize(
    ("answer", "found", "tries"),
    [
        (raw(b""), "the connection was closed too early (2 tries)", 2),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), INVALID, 1),
        (raw(GOOD + b"X: " + b"x" * 100_000), INVALID, 1),
        (raw(GOOD + b"X: x\r\n" * 500 + b"\r\n"), INVALID, 1),
        (raw(GOOD + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nabcde"), INVALID, 1),
        (raw(GOOD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), INVALID, 1),
        (
            raw(GOOD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"),
            "a response that can't be decompressed",
            1,
        ),
        (to("/again"), "too many redirects", 31),
        (to("file:///etc/passwd"), REDIRECTED, 1),
        (to("ftp://127.0.0.1/"), REDIRECTED, 1),
        (to("http://[nonsense"), "Invalid IPv6 URL", 1),
        *(
            (status(code), f"the server responded with status {code}", 1)
            for code in (204, 206, 300, 304, 403, 407, 416)
        ),
    ],
)
def test_a_response_that_is_no_file_is_the_servers_fault(
    tmp_path: Path,
    answer: Callable[[BaseHTTPRequestHandler], None],
    found: str,
    tries: int,
) -> None:
    requests = []

    def count(request: BaseHTTPRequestHandler) -> None:
        requests.append(request.path)
        answer(request)

    # What the address says is not taken for what happened.
    with serve(count) as url, pytest.raises(EnvironmentProblemError) as caught:
        retrieve(Mirror("mirror", f"{url}refused/timed out/", QUICK), tmp_path / "staging")
    assert caught.value.found == found
    assert len(requests) == tries
