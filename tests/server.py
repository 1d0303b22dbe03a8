"""A real HTTP server on the loopback interface; each test defines the responses."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from ssl import SSLContext


@contextmanager
def serve(
    answer: Callable[[BaseHTTPRequestHandler], None], *, context: SSLContext | None = None
) -> Iterator[str]:
    """Serve until the block ends, over TLS with a context; yield the address, with a ``/``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):  # the client hung up
                answer(self)

        do_CONNECT = do_GET  # noqa: N815  # what a proxy is asked for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    poll = {"poll_interval": 0.01}  # how long `shutdown` waits at most
    thread = threading.Thread(target=server.serve_forever, kwargs=poll, daemon=True)
    thread.start()
    try:
        yield f"http{'s' if context else ''}://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(
    request: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, length: int | None = None
) -> None:
    """Send a response; `length` is its Content-Length, by default the true one."""
    request.send_response(status)
    request.send_header("Content-Length", str(len(body) if length is None else length))
    request.end_headers()
    request.wfile.write(body)


def redirect(request: BaseHTTPRequestHandler, address: str) -> None:
    """Send a redirection to an address."""
    request.send_response(302)
    request.send_header("Location", address)
    request.send_header("Content-Length", "0")
    request.end_headers()
