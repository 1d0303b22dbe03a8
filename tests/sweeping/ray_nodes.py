"""A Ray cluster of two nodes on this machine, started and stopped through their own processes."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD, OTHER = "127.0.0.2", "127.0.0.3"  # Ray replaces 127.0.0.1 by the machine's external address
START = "from ray.scripts.scripts import main; main()"
TIMEOUT = 600.0  # seconds
STORE = str(150 * 1024**2)


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """The two nodes, one CPU each, and the address of the cluster."""

    head: subprocess.Popen[bytes]
    other: subprocess.Popen[bytes]
    address: str


@contextlib.contextmanager
def two_nodes() -> Iterator[Nodes]:
    # Ray's sockets are in this folder, and the length of their paths is limited.
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    (folder / "token").write_text(secrets.token_hex(32))
    own = {
        # Overrides the user's token: nodes and drivers must share one.
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(folder / "token"),
        # With gRPC's fork handlers the server of one client in 25 dies at its fork: 40 s each.
        "GRPC_ENABLE_FORK_SUPPORT": "0",
    }
    with mock.patch.dict(os.environ, own), _two_nodes(folder) as nodes:
        yield nodes


@contextlib.contextmanager
def _two_nodes(folder: Path) -> Iterator[Nodes]:
    cluster, client, first, second = free_ports()
    common = ("--num-cpus=1", f"--object-store-memory={STORE}", "--block", "--disable-usage-stats")
    head = start(
        "--head",
        f"--node-ip-address={HEAD}",
        f"--port={cluster}",
        f"--ray-client-server-port={client}",
        f"--dashboard-agent-listen-port={first}",
        f"--temp-dir={folder}",
        "--include-dashboard=false",
        "--min-worker-port=0",
        "--max-worker-port=0",
        *common,
        log=folder / "head.log",
    )
    wait_for(HEAD, cluster, head)
    other = start(
        f"--address={HEAD}:{cluster}",
        f"--node-ip-address={OTHER}",
        f"--dashboard-agent-listen-port={second}",
        "--min-worker-port=0",
        "--max-worker-port=0",
        *common,
        log=folder / "other.log",
    )
    try:
        wait_for(HEAD, client, head)
        wait_for_two(f"{HEAD}:{cluster}")
        yield Nodes(head=head, other=other, address=f"ray://{HEAD}:{client}")
    finally:
        for node in (other, head):
            kill(node)
        shutil.rmtree(folder, ignore_errors=True)


def kill(node: subprocess.Popen[bytes]) -> None:
    """Kill a node and all its processes, like a power failure."""
    for process in reversed(family(node.pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    node.wait()


def start(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-c", START, "start", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def wait_for(host: str, port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
            return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens on {host}:{port}; the node's exit: {process.poll()}")


def wait_for_two(address: str) -> None:
    """Wait for both nodes in another process, since a process connects to Ray only once."""
    script = (
        "import ray, time\n"
        f"ray.init({address!r}, log_to_driver=False, logging_level='ERROR')\n"
        "while sum(node['Alive'] for node in ray.nodes()) < 2: time.sleep(0.1)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=TIMEOUT)


def free_ports() -> list[int]:
    """Return free ports outside the ranges that the system and Ray assign from."""
    found: list[int] = []
    for port in range(24_001 + os.getpid() % 5_000, 32_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HEAD, port))
            found.append(port)
        if len(found) == 4:
            break
    return found


def family(process: int) -> list[int]:
    """Return a process and its descendants, oldest first."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [process]
    for each in found:
        found += parents.get(each, [])
    return found
