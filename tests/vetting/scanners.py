"""Scan the crafted files with two other scanners: ``python -m tests.vetting.scanners``.

It prints a table for the docs: how many files of each kind are reported. ``nox -s scanners``
installs the scanners. Files that only fail the contract are left out, as no scanner looks for them.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from importlib import import_module, metadata
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks.errors import MnistTasksError
from mnist_tasks.vetting import sandbox
from tests.vetting import fuzz
from tests.vetting.crafted import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    Scan = Callable[[Path], int]

OURS = "mnist-tasks"
#: The module of each scanner's command line, and its arguments before the file.
SCANNERS = {
    "modelscan": ("modelscan.cli", "scan", "-p"),
    "modelaudit": ("modelaudit.cli", "scan", "--no-cache", "--format", "json"),
}
SOUND = "sound"
NOTHING, REPORTED = 0, 1  # the exit codes of both scanners; any other is an error
SECONDS, MEMORY = 20.0, 8 * 1024**3  # for one file
NO_TELEMETRY = {"CI": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1"}


def write_files(folder: Path) -> dict[str, list[Path]]:
    """Write every file that the static check has to decide about; return them by kind."""
    files = defaultdict(list)
    for row in TABLE:
        if not row.needs_keras and row.contract is None:
            row.make(folder / row.name, folder / "canary")
            files[row.kind].append(folder / row.name)
    for name, (extension, data) in fuzz.valid_files().items():
        path = folder / f"{name.replace(' ', '_')}.{extension}"
        path.write_bytes(data)
        files[SOUND].append(path)
    return files


def scan_all(tool: str, files: list[Path]) -> list[int | None]:
    """Return a tool's exit code for each file; ``None`` if it ran into a limit or died."""
    os.environ |= NO_TELEMETRY
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    if tool == OURS:
        return [_vet(path) for path in files]
    module, *arguments = SCANNERS[tool]
    command = import_module(module).cli

    def scan(path: Path) -> int:
        return command.main([*arguments, str(path)], standalone_mode=False) or NOTHING

    with suppress(SystemExit):
        scan(files[-1])  # a sound file: what it imports takes seconds, and the forks inherit it
    return [_in_a_fork(scan, path) for path in files]


def _vet(path: Path) -> int:
    try:
        sandbox.vet(path)
    except MnistTasksError as error:
        return REPORTED if error.exit_code == 3 else error.exit_code
    return NOTHING


def _in_a_fork(scan: Scan, path: Path) -> int | None:
    process = os.fork()
    if process == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        code = 2
        try:
            code = scan(path)
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 2
        finally:
            os._exit(code)
    end = time.monotonic() + SECONDS
    while not (ended := os.waitpid(process, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return None
        time.sleep(0.01)
    code = os.waitstatus_to_exitcode(ended[1])
    return None if code < 0 else code


def cell(codes: list[int | None]) -> str:
    counts = Counter(codes)
    errors = len(codes) - counts[NOTHING] - counts[REPORTED]
    return f"{counts[REPORTED]}" + (f" ({errors} unread)" if errors else "")


def main() -> None:
    tools = [OURS, *SCANNERS]
    context = get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(len(tools), mp_context=context) as pool,
    ):
        files = write_files(Path(folder))
        every = [path for group in files.values() for path in group]
        scans = {tool: pool.submit(scan_all, tool, every) for tool in tools}
        codes = {tool: dict(zip(every, scan.result(), strict=True)) for tool, scan in scans.items()}
        ran = (Path(folder) / "canary").exists()
    versions = [f"{tool} {metadata.version(tool)}" for tool in tools]
    print(f"| kind | files | {' | '.join(versions)} |\n|{'---|' * (2 + len(tools))}")
    for kind, group in files.items():
        cells = [cell([found[path] for path in group]) for found in codes.values()]
        print(f"| {kind} | {len(group)} | {' | '.join(cells)} |")
    sys.exit("a payload ran" if ran else 0)


if __name__ == "__main__":
    main()
