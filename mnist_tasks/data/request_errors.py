"""Why a request failed, in the words of a user."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import Any

from mnist_tasks.data import certificates
from mnist_tasks.errors import printable, redact


def failure(error: Exception, url: str) -> tuple[str, bool]:
    """Return why a request failed, and whether it may succeed a little later.

    Neither the address of the request nor that of a redirection or a proxy is shown with its
    password or query.
    """
    from requests.exceptions import ProxyError

    proxy = proxy_of(url)
    found, is_transient = _cause(error)
    if isinstance(error, ProxyError):
        if refused := re.search(r"Tunnel connection failed: ([^')]*)", str(error)):
            return f"the proxy {proxy} refused: {printable(refused[1])}", False
        return f"the proxy {proxy} can't be reached: {found}", is_transient
    return f"{found} (through the proxy {proxy})" if proxy else found, is_transient


def proxy_of(url: str) -> str | None:
    """Return the proxy that requests of an address go through, safe to display, or ``None``."""
    from requests.utils import get_environ_proxies, select_proxy

    with suppress(ValueError):
        if proxy := select_proxy(url, get_environ_proxies(url)):
            return printable(redact(f"//{proxy.rpartition('//')[2]}"))[2:].rstrip("/")
    return None


def _cause(error: Exception) -> tuple[str, bool]:
    """Return the first cause that applies: an error of the system is nested in several others."""
    nested = list(_nested(error))
    found = next(
        (text, is_transient)
        for types, describe, is_transient in _causes()
        for each in nested
        if isinstance(each, types) and (text := describe(each))
    )
    return printable(redact(found[0]), limit=300), found[1]


_Cause = tuple[tuple[type[BaseException], ...], Callable[[Any], str], bool]


def _causes() -> Iterator[_Cause]:
    """Yield types of errors, how to describe one, and whether a later request may succeed."""
    from requests import exceptions as of_requests
    from urllib3 import exceptions as of_urllib3

    def as_text(text: str) -> Callable[[object], str]:
        return lambda _: text

    late = as_text("timed out")
    closed = as_text("the connection was closed too early")
    invalid = as_text("a response that is not valid HTTP")
    unresolved = as_text("the host name can't be resolved")
    yield (ssl.SSLCertVerificationError,), certificates.untrusted, False
    yield (socket.gaierror, of_urllib3.NameResolutionError), unresolved, False
    yield (TimeoutError, of_requests.Timeout, of_urllib3.ReadTimeoutError), late, True
    yield (ConnectionRefusedError,), as_text("connection refused"), True
    yield (of_urllib3.InvalidChunkLength,), invalid, False
    yield (RemoteDisconnected, IncompleteRead, ConnectionResetError, BrokenPipeError), closed, True
    yield (HTTPException, of_urllib3.InvalidHeader), invalid, False
    yield (of_urllib3.DecodeError,), as_text("a response that can't be decompressed"), False
    yield (of_requests.TooManyRedirects,), as_text("too many redirects"), False
    yield (ssl.SSLError,), lambda each: f"no secure connection: {each.reason or each}", False
    yield (of_requests.InvalidSchema,), _describe_scheme, False
    yield (OSError,), lambda each: (each.strerror or "").lower(), True
    # A ValueError is about an address: of a redirection, or of the proxy.
    yield (ValueError,), str, False
    yield (Exception,), repr, True


def _describe_scheme(error: Exception) -> str:
    if "SOCKS" in str(error):
        return "a SOCKS proxy needs another package: run `pip install pysocks`"
    return "a redirection to an address that is not http:// or https://"


def _nested(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that caused it."""
    seen: list[BaseException] = []
    pending = [error]
    while pending:
        each = pending.pop(0)
        if each not in seen:
            seen.append(each)
            yield each
            others = (*each.args, getattr(each, "reason", None), each.__cause__, each.__context__)
            pending += [other for other in others if isinstance(other, BaseException)]
