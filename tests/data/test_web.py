"""Slow servers, certificates and proxies: real servers on the loopback interface."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.data import download, fetching, web
from mnist_tasks.data.download import RetryPolicy
from mnist_tasks.data.local import Local
from mnist_tasks.data.sources import Mirror, Source
from mnist_tasks.errors import EnvironmentProblemError, MnistTasksError, redact
from tests.data.test_sources import QUICK, Recorder, everything, file_server, retrieve
from tests.server import send, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

SECRETS = ("secret", "c2VjcmV0")  # also as in an Authorization header
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*web.BUNDLES, *PROXIES, "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


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


def test_retries_end_at_the_deadline(tmp_path: Path) -> None:
    policy = RetryPolicy(timeout=1, delays=(0.01, 60))
    with serve(lambda request: send(request, b"", status=503)) as url:  # noqa: SIM117
        with pytest.raises(EnvironmentProblemError, match=r"status 503 \(2 tries\)"):
            download.download(url, tmp_path / "file", policy=policy, progress=Recorder())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a self-signed certificate for 127.0.0.1, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: it makes the certificate")
    folder = tmp_path_factory.mktemp("certificate")
    options = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    files = f"-keyout {folder}/key.pem -out {folder}/certificate.pem"
    name = "-addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        ["openssl", "req", "-x509", *options.split(), *files.split(), *name.split()],
        capture_output=True,
        check=True,
    )
    return folder


@pytest.fixture
def secure(certificate: Path, small_mnist: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a server with that certificate, and the requests that it gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    requests: list[str] = []
    has_files = file_server(small_mnist)

    def answer(request: BaseHTTPRequestHandler) -> None:
        requests.append(request.path)
        has_files(request)

    with serve(answer, context=context) as url:
        yield url, requests


def test_an_untrusted_certificate_is_named_and_not_retried(
    secure: tuple[str, list[str]], tmp_path: Path
) -> None:
    url, requests = secure
    seen = Recorder()
    with pytest.raises(EnvironmentProblemError) as caught:
        retrieve(Mirror("mirror", url, QUICK), tmp_path / "staging", seen)
    assert "certificate is not trusted: self-signed certificate." in caught.value.found
    assert "REQUESTS_CA_BUNDLE or SSL_CERT_FILE" in caught.value.found
    assert (seen.notes, requests) == ([], [])


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_bundle_of_certificates_is_honoured(
    secure: tuple[str, list[str]],
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, str(certificate / "certificate.pem"))
    assert retrieve(Mirror("mirror", secure[0], QUICK), tmp_path / "staging") == everything()


def test_the_systems_certificates_are_trusted(
    secure: tuple[str, list[str]],
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", certificate / "certificate.pem"],
        capture_output=True,
        text=True,
        check=True,
    )
    store = tmp_path / "store"
    store.mkdir()
    shutil.copy(certificate / "certificate.pem", store / f"{done.stdout.strip()}.0")
    monkeypatch.setenv("SSL_CERT_DIR", str(store))
    assert retrieve(Mirror("mirror", secure[0], QUICK), tmp_path / "staging") == everything()


@pytest.mark.parametrize("content", [None, "junk", ""])
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_unusable_bundle_is_blamed(
    secure: tuple[str, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    content: str | None,
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv(variable, str(bundle))
    with pytest.raises(EnvironmentProblemError) as caught:
        retrieve(Mirror("mirror", secure[0], QUICK), tmp_path / "staging")
    assert caught.value.subject == variable
    assert caught.value.reason == "certificates-unusable"
    assert str(bundle) in caught.value.found
    assert secure[1] == []


def test_an_unusable_bundle_ends_no_other_source(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "missing.pem")
    sources: list[Source] = [Mirror("mirror", "https://127.0.0.1:9/", QUICK), Local(small_mnist)]
    result = fetching.fetch(tmp_path / "cache", sources, progress=Recorder())
    assert result.failures == ("REQUESTS_CA_BUNDLE: missing.pem: No such file or directory",)


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
        ("http://nowhere.invalid:1", "nowhere.invalid:1 can't be reached: its host name can't be"),
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


def test_text_is_redacted() -> None:
    url = "/mnist.npz?Signature=secret&Expires=1"
    text = f"HTTPConnectionPool(host='x', port=80): Max retries exceeded with url: {url} (Caused"
    assert "secret" not in redact(text)
    assert redact("what? a question = no secret") == "what? a question = no secret"


def test_a_redirection_to_nowhere_is_the_servers_fault(tmp_path: Path) -> None:
    def redirect(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", "ftp://127.0.0.1/")
        request.end_headers()

    with serve(redirect) as url, pytest.raises(EnvironmentProblemError) as caught:
        retrieve(Mirror("mirror", url, QUICK), tmp_path / "staging")
    assert caught.value.subject.startswith(url)


def test_no_thread_outlives_a_download(small_mnist: Path, tmp_path: Path) -> None:
    before = threading.active_count()
    with serve(file_server(small_mnist)) as url:
        retrieve(Mirror("mirror", url, QUICK), tmp_path / "staging")
    assert threading.active_count() <= before + 1
