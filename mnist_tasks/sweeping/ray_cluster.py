"""Connect to a Ray cluster."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

from mnist_tasks import install
from mnist_tasks.errors import EnvironmentProblemError, printable

_CONNECT_TIMEOUT = 10.0  # seconds


def connect(address: str | None) -> Any:
    """Connect this process to a cluster, and return the module `ray`.

    Parameters
    ----------
    address
        As in `ray_executor.run`.

    Raises
    ------
    EnvironmentProblemError
        Ray is not installed, or the cluster can't be reached.
    """
    ray = _import()
    try:
        if address:  # without this check, Ray would retry for half a minute
            parts = urlsplit(address)
            socket.create_connection((parts.hostname, parts.port), _CONNECT_TIMEOUT).close()
        _init(ray, address)
    except Exception as error:
        raise EnvironmentProblemError(
            f"--on {address or 'ray'}",
            expected="a Ray cluster that responds",
            found=printable(f"{type(error).__name__}: {error}", limit=400),
            remedy="Start one with `ray start --head`, or fix the address. Every node and this "
            "process need the same versions of Python and Ray. If the cluster requires a token, "
            "set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN_PATH to a file with the token.",
        ) from error
    return ray


def connection_errors(ray: Any) -> tuple[type[Exception], ...]:
    """Return what Ray raises when a cluster is lost, including the errors of its transport."""
    errors = (ConnectionError, ray.exceptions.RayError)
    grpc = sys.modules.get("grpc")  # loaded only in a client of a remote cluster
    return (*errors, grpc.RpcError) if grpc else errors


def _import() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Otherwise Ray hides the GPUs from tasks that request none, and warns that it will stop that.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise EnvironmentProblemError(
            "--on ray",
            expected="Ray",
            found=f"it can't be imported: {printable(str(error))}",
            remedy=f"Run {install.command('cluster')}.",
        ) from error
    return ray


def _init(ray: Any, address: str | None) -> None:
    """Initialize Ray, with one retry.

    A cluster forks a server for each client from a process with gRPC threads; on a busy machine
    about one in 25 of these servers died at once (Ray 2.60).
    """
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    sigterm_handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, **options)
    except ConnectionAbortedError:
        ray.init(address=address, **options)
    finally:  # Ray's own handler exits with 1, which means that the contract did not pass
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, sigterm_handler)
