"""Python processes that fork from one that has imported TensorFlow: their start costs nothing.

Starting Python, TensorFlow and Keras takes seconds, and is the same for every command. What comes
after it is the same here: a process of its own, with its own folder, variables and files, that ends
as Python ends. The processes that it starts itself, for vetting and for sweeps, fork from it. What
depends on how Python starts needs a real start, for example a test with ``PYTHONPATH`` (see
`can_run`).

As a script, this is the server: it receives requests from a socket and forks for each.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import re
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).parents[1]
# A variable whose name starts so is read while Python or a library is loaded.
READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "TF_", "KERAS", "CUDA_", "OMP_", "HOME", "RAY_")
# What is not for import, and what commands import late.
SCRIPTS = ("mnist_tasks.__main__", "mnist_tasks.starter.files")
LATE = ("filelock", "pydantic.type_adapter", "rich.markdown", "rich.traceback", "tests.generated")
SECONDS = 600.0


class ForkServer:
    """A server that runs one Python process after another.

    It starts with the first of them. Other systems than Linux start a new Python each time: Windows
    has no ``fork``, and libraries of macOS don't survive it.

    Parameters
    ----------
    own_env
        Variables of the server alone.
    """

    def __init__(self, own_env: Mapping[str, str] | None = None) -> None:
        self._own_env = dict(own_env or {})
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._measured: set[tuple[str, ...]] = set()

    def run(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        """Run ``python ARGUMENTS`` and return its exit status and its output.

        Parameters
        ----------
        arguments
            ``-m`` and a module, ``-c`` and a program, or a script; and what they are given.
        env
            All the variables of the process.
        """
        if not can_run(env):
            return run_anew(arguments, cwd=cwd, env=env)
        if self._socket is None:
            self._start()
            assert self._socket
        with (
            open(os.devnull, "rb") as nothing,  # noqa: PTH123
            tempfile.TemporaryFile() as output,
            tempfile.TemporaryFile() as errors,
            tempfile.TemporaryFile() as request,
        ):
            given = {
                "arguments": list(arguments),
                "cwd": str(cwd),
                "env": dict(env),
                "is_measured": self._is_measured(arguments),
            }
            request.write(json.dumps(given).encode())
            request.seek(0)
            files = (nothing, output, errors, request)
            socket.send_fds(self._socket, [b"?"], [each.fileno() for each in files])
            status = self._wait()
            return subprocess.CompletedProcess(arguments, status, _all(output), _all(errors))

    def stop(self) -> None:
        """End the server."""
        if self._socket and self._process:
            self._socket.close()
            self._process.wait()

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, **self._own_env},
            )

    def _is_measured(self, arguments: Sequence[str]) -> bool:
        """Return whether to measure the coverage of a process, which doubles its time.

        It is measured for the first process with a command and options in each file of tests.
        """
        file = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
        words = (word for word in arguments if not re.search(r"^[^-].*[/\d.]", word))
        kind = (file, *(word.partition("=")[0] for word in words))
        is_first = kind not in self._measured
        self._measured.add(kind)
        return is_first

    def _wait(self) -> int:
        """Return the exit status of the process, as `subprocess` would."""
        assert self._socket
        pid = int(self._socket.recv(100))
        try:
            return int(self._socket.recv(100))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise


def can_run(env: Mapping[str, str]) -> bool:
    """Whether a process with these variables may fork from one that has those of this process."""
    changed = {name for name in env.keys() | os.environ if env.get(name) != os.environ.get(name)}
    return sys.platform == "linux" and not any(name.startswith(READ_AT_START) for name in changed)


def run_anew(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python ARGUMENTS`` without a server."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=SECONDS,
    )


def _all(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def prepare() -> None:
    """Import what commands import."""
    import mnist_tasks
    from mnist_tasks.training import tensorflow_setup
    from tests.sweeping import forked as forked_workers
    from tests.vetting import forked as forked_vetting

    tensorflow_setup.import_tensorflow()
    ours = pkgutil.walk_packages(mnist_tasks.__path__, "mnist_tasks.")
    for name in (*(each.name for each in ours if not each.name.startswith(SCRIPTS)), *LATE):
        with contextlib.suppress(ImportError):  # an optional library is missing
            importlib.import_module(name)
    forked_vetting.install()
    forked_workers.install()
    gc.collect()
    gc.freeze()


def serve(channel: socket.socket) -> dict[str, Any]:
    """Fork for each request; return in the new processes only, with the request."""
    while True:
        message, descriptors, *_ = socket.recv_fds(channel, 1, 4)
        if not message:  # the tests have ended
            os._exit(0)
        pid = os.fork()
        if pid == 0:
            channel.close()
            return _become(descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        channel.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(descriptors: list[int]) -> dict[str, Any]:
    """Give this process the files, the folder and the variables of a request, and return it."""
    with open(descriptors.pop(), "rb") as file:  # noqa: PTH123
        request: dict[str, Any] = json.load(file)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    tempfile.tempdir = None  # it depends on TMPDIR
    if not request["is_measured"]:
        _end_coverage()
    return request


def _end_coverage() -> None:
    """Stop measuring the coverage of this process, if it is measured, and save none."""
    coverage = sys.modules.get("coverage")
    if coverage and (current := coverage.Coverage.current()):
        current.stop()
        current._auto_save = False


def run_like_python(arguments: list[str]) -> int | str | None:
    """Do what ``python ARGUMENTS`` does after its start; return the argument of `sys.exit`."""
    try:
        if arguments[0] == "-c":
            sys.path[0] = ""
            sys.argv = ["-c", *arguments[2:]]
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            exec(arguments[1], vars(main))  # noqa: S102
        elif arguments[0] == "-m":
            sys.path[0] = os.getcwd()  # noqa: PTH109
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = str(Path(arguments[0]).parent)
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as error:
        return error.code
    return 0


def end_like_python(status: int | str | None) -> NoReturn:
    """End this process as `sys.exit` would, but don't free the modules one by one."""
    if isinstance(status, str):
        sys.stderr.write(f"{status}\n")
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(1 if isinstance(status, str) else status or 0)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, and they end this
    sys.path.insert(1, str(ROOT))
    prepare()
    status = run_like_python(serve(socket.socket(fileno=int(sys.argv[1])))["arguments"])
    end_like_python(status)


if __name__ == "__main__":
    main()
