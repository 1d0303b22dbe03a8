"""Certificates: real servers with TLS on the loopback interface."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.data import certificates, fetching, request_errors
from mnist_tasks.data.local import Local
from mnist_tasks.data.sources import Mirror, Source
from mnist_tasks.errors import EnvironmentProblemError
from tests.data.test_sources import QUICK, Recorder, everything, file_server, retrieve
from tests.server import redirect, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with self-signed certificates and a key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: it makes the certificates")
    folder = tmp_path_factory.mktemp("certificate")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem"
    make = "openssl req -x509 -subj /CN=test -days 2 -addext subjectAltName"
    for command in (
        f"{make}=IP:127.0.0.1 {key} -out good.pem",
        f"{make}=DNS:other.example -key key.pem -out other.pem",
        "openssl x509 -in good.pem -signkey key.pem -days 0 -out expired.pem",
    ):
        subprocess.run(command.split(), cwd=folder, capture_output=True, check=True)
    return folder


@contextmanager
def secure_server(
    folder: Path, answer: Callable[[BaseHTTPRequestHandler], None], name: str = "good"
) -> Iterator[str]:
    """Serve over TLS with one of the certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / "key.pem")
    with serve(answer, context=context) as url:
        yield url


@pytest.fixture
def secure(folder: Path, small_mnist: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a server of the files, and the requests that it gets."""
    requests: list[str] = []
    has_files = file_server(small_mnist)

    def answer(request: BaseHTTPRequestHandler) -> None:
        requests.append(request.path)
        has_files(request)

    with secure_server(folder, answer) as url:
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
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, str(folder / "good.pem"))
    assert retrieve(Mirror("mirror", secure[0], QUICK), tmp_path / "staging") == everything()


def test_the_systems_certificates_are_trusted(
    secure: tuple[str, list[str]],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", folder / "good.pem"],
        capture_output=True,
        text=True,
        check=True,
    )
    store = tmp_path / "store"
    store.mkdir()
    shutil.copy(folder / "good.pem", store / f"{done.stdout.strip()}.0")
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


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("other", "IP address mismatch, certificate is not valid for '127.0.0.1'."),
        ("expired", "certificate has expired. Is this machine's clock right?"),
    ],
)
def test_a_certificate_that_no_bundle_helps_with(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, found: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / f"{name}.pem"))
    with secure_server(folder, lambda _: None, name) as url:  # noqa: SIM117
        with pytest.raises(EnvironmentProblemError) as caught:
            retrieve(Mirror("mirror", url, QUICK), tmp_path / "staging")
    assert caught.value.found == f"the certificate is not trusted: {found}"


def test_a_redirection_from_http_is_verified_in_the_same_way(
    secure: tuple[str, list[str]], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(lambda request: redirect(request, secure[0] + request.path)) as url:
        mirror = Mirror("mirror", url, QUICK)
        with pytest.raises(EnvironmentProblemError, match="certificate is not trusted"):
            retrieve(mirror, tmp_path / "staging")
        monkeypatch.setenv("SSL_CERT_FILE", "missing.pem")
        with pytest.raises(EnvironmentProblemError, match=r"^SSL_CERT_FILE: missing\.pem"):
            retrieve(mirror, tmp_path / "staging")
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "good.pem"))
        assert retrieve(mirror, tmp_path / "staging") == everything()


def test_certificates_are_verified_as_the_system_does() -> None:
    """On macOS and Windows, where the certificates are not in a file that OpenSSL reads."""
    adapter = certificates.adapter()
    context = adapter.poolmanager.connection_pool_kw["ssl_context"]
    assert type(context).__module__.startswith("truststore")


def test_the_words_of_another_system_are_understood() -> None:
    from requests.exceptions import SSLError

    error = ssl.SSLCertVerificationError("“test” certificate is not trusted")
    found, is_transient = request_errors.failure(SSLError(error), "https://127.0.0.1/")
    assert found.startswith("the certificate is not trusted: “test” certificate is not trusted.")
    assert certificates.REMEDY in found
    assert not is_transient
