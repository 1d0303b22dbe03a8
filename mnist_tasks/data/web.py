"""HTTP requests that a deadline ends, and why they fail."""

from __future__ import annotations

import os
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from mnist_tasks.errors import EnvironmentProblemError, printable, redact

if TYPE_CHECKING:
    from requests import Response

PIECE = 1 << 16  # bytes
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
TRUST = "Name the bundle of your CA's certificates in REQUESTS_CA_BUNDLE or SSL_CERT_FILE."
_UNTRUSTED = re.compile(r"certificate verify failed: (.*?) \(_ssl")


class TooSlowError(Exception):
    """The deadline has passed."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The start of a response: its status, and the length of its content if that is known."""

    status: int
    length: int | None


def receive(url: str, *, idle_timeout: float, deadline: float) -> Iterator[Head | bytes]:
    """Request an address; yield the head of the response, and its content in pieces.

    The request runs in a thread: a server that sends a byte now and then, also in its headers,
    keeps `requests` waiting however long that takes.

    Raises
    ------
    TooSlowError
        The response is not complete by `deadline`, a time of `time.monotonic`.
    Exception
        Whatever `requests` raises; see `failure`.
    """
    arrived: SimpleQueue[Head | bytes | Exception | None] = SimpleQueue()
    responses: list[Response] = []
    ended = threading.Event()

    def run() -> None:
        try:
            with get(url, timeout=idle_timeout) as response:
                responses.append(response)
                length = response.headers.get("Content-Length", "")
                total = int(length) if length.isdecimal() else None
                arrived.put(Head(status=response.status_code, length=total))
                for piece in response.iter_content(PIECE):
                    if ended.is_set():
                        return
                    arrived.put(piece)
            arrived.put(None)
        except Exception as error:
            arrived.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        while True:
            try:
                item = arrived.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise TooSlowError from None
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        ended.set()
        for response in responses:
            with suppress(Exception):  # urllib3 has it since 2.3; else the thread waits on
                response.raw.shutdown()


@contextmanager
def get(
    url: str, *, timeout: float, headers: Mapping[str, str] | None = None
) -> Iterator[Response]:
    """Request an address; `timeout` is the wait in seconds to connect, and for each byte.

    A server's certificate is verified with the bundle that one of `BUNDLES` names, else with the
    system's certificates and those of `certifi`.

    Raises
    ------
    EnvironmentProblemError
        The bundle can't be read.
    """
    import requests

    bundle = _bundle() if url.startswith("https:") else None
    identity = {"Accept-Encoding": "identity"}  # the files are compressed, or small
    with requests.Session() as session:
        if bundle is None:
            session.mount("https://", _system_trust())
        with session.get(
            url,
            stream=True,
            timeout=timeout,
            headers={**identity, **(headers or {})},
            verify=bundle[1] if bundle else True,
        ) as response:
            yield response


def _bundle() -> tuple[str, str] | None:
    """Return the variable that names the bundle of trusted certificates, and the bundle's path."""
    name = next((name for name in BUNDLES if os.environ.get(name)), None)
    if name is None:
        return None
    path = os.environ[name]
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if os.path.isdir(path):  # noqa: PTH112  # a `Path` raises for a null character
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        found = getattr(error, "strerror", None) or str(error)
        raise EnvironmentProblemError(
            name,
            expected="a file of certificates in PEM format",
            found=f"{path}: {found}",
            remedy=TRUST,
            reason="certificates-unusable",
        ) from error
    return name, path


def _system_trust() -> Any:
    """Return an adapter of `requests` that also trusts the certificates of the system."""
    from requests.adapters import HTTPAdapter

    class SystemTrust(HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, ssl_context=_context(), **options)

        def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
            return super().proxy_manager_for(*arguments, ssl_context=_context(), **options)

    return SystemTrust()


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def proxy_of(url: str) -> str | None:
    """Return the proxy that requests of an address go through, safe to display, or ``None``."""
    from requests.utils import get_environ_proxies, select_proxy

    with suppress(ValueError):
        proxy = select_proxy(url, get_environ_proxies(url))
        return printable(redact(f"//{proxy.rpartition('//')[2]}"))[2:] if proxy else None
    return None


def failure(error: Exception, url: str) -> tuple[str, bool]:
    """Return why a request failed, and whether it may succeed a little later."""
    from requests import Timeout
    from requests.exceptions import ChunkedEncodingError, ProxyError, SSLError

    text = redact(str(error))
    proxy = proxy_of(url)
    if isinstance(error, ProxyError):
        return _proxy_failure(text, proxy)
    through = f" (through the proxy {proxy})" if proxy else ""
    untrusted = _UNTRUSTED.search(text)
    why = printable(untrusted[1]) if untrusted else ""
    causes = (
        (untrusted, f"the server's certificate is not trusted: {why}. {TRUST}", False),
        (isinstance(error, SSLError), f"no secure connection: {printable(text)}", False),
        ("Failed to resolve" in text, "the host name can't be resolved", False),
        (isinstance(error, Timeout) or "timed out" in text, "timed out", True),
        (isinstance(error, ChunkedEncodingError), "the connection was closed too early", True),
        ("refused" in text, "connection refused", True),
        # A ValueError is about an address: of a redirection, or of the proxy.
        (True, printable(text, limit=100), not isinstance(error, ValueError)),
    )
    found, is_transient = next((found, later) for applies, found, later in causes if applies)
    return f"{found}{through}", is_transient


def _proxy_failure(text: str, proxy: str | None) -> tuple[str, bool]:
    if refused := re.search(r"Tunnel connection failed: ([^')]*)", text):
        return f"the proxy {proxy} refused: {printable(refused[1])}", False
    causes = {
        "Failed to resolve": ("its host name can't be resolved", False),
        "refused": ("connection refused", True),
        "timed out": ("timed out", True),
        "": (printable(text), True),
    }
    why, is_transient = next(cause for part, cause in causes.items() if part in text)
    return f"the proxy {proxy} can't be reached: {why}", is_transient
