"""Fixtures: a small data set, and the real command line in a real process."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from mnist_tasks.data import datasets
from tests import generated
from tests.fork_server import ForkServer, run_anew

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

Run = subprocess.CompletedProcess[str]
# An example may take any time on a busy machine.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
_measured: set[str] = set()  # tests, by their names without parameters
SMALL_CLI = Path(__file__).parent / "small_cli.py"
# Colors and sizes are those that a test asks for, whatever the terminal or the CI says.
for _name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
    os.environ.pop(_name, None)
if sys.platform == "win32":  # what needs Unix is tested there
    _UNIX = re.compile(
        r"^import (fcntl|pty|resource)|SIG(HUP|KILL|STOP|USR)|preexec_fn|start_new_session"
        r"|os\.(fork|geteuid|getuid|killpg|mkfifo|openpty|umask)|symlink_to|chmod|/(proc|dev|bin)/",
        re.MULTILINE,
    )
    collect_ignore = [
        str(path)
        for path in Path(__file__).parent.rglob("test_*.py")
        if _UNIX.search(path.read_text(encoding="utf-8"))
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests, so that no process is left with one at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure the coverage of quick tests only, once each: it doubles the time of what it measures.

    What generates its examples runs a hundred of them, and has others beside it.
    """
    name = item.nodeid.partition("[")[0]
    is_long = any(map(item.get_closest_marker, ("slow", "hypothesis")))
    if not is_long and name not in _measured:
        _measured.add(name)
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


@pytest.fixture
def small_mnist(tmp_path: Path) -> Iterator[Path]:
    """A folder with a small data set that the package accepts as MNIST."""
    real = datasets.default()
    generated.register(generated.write(tmp_path / "mnist", train=512, test=128))
    yield tmp_path / "mnist"
    generated.register(real)


@pytest.fixture
def tensorflow(_started_tensorflow: None) -> Iterator[None]:
    """Whatever uses TensorFlow in the process of the tests needs this, so that their order is free.

    Keras keeps the models that a test builds without weights, and creates these in a later test.
    """
    yield
    sys.modules["keras"].utils.clear_session(free_memory=False)


@pytest.fixture(scope="session")
def _started_tensorflow() -> None:
    """Start TensorFlow with the default recipe's threads, which it keeps."""
    from mnist_tasks.config import TrainingConfig
    from mnist_tasks.training import recipes, tensorflow_setup

    tensorflow_setup.import_tensorflow()
    tensorflow_setup.prepare(TrainingConfig(), micro_batches=recipes.DEFAULT.micro_batches)


@pytest.fixture(scope="session", autouse=True)
def coverage_variables() -> dict[str, str]:
    """Take away the variables that have every Python measure its coverage, and return them.

    It doubles the time of a process. And one that receives a signal may wait for itself for ever:
    the signal's exception may be raised in coverage's own code, between taking a lock and releasing
    it.
    """
    return _take_coverage_variables()


@pytest.fixture(scope="session")
def fork_server(coverage_variables: dict[str, str]) -> Iterator[ForkServer]:
    """Start processes that have imported TensorFlow already."""
    server = ForkServer(coverage_variables)
    yield server
    server.stop()


@pytest.fixture
def cli(tmp_path: Path, fork_server: ForkServer) -> CommandLine:
    """Run ``python -m mnist_tasks`` in an empty folder, with an empty cache and no mirror."""
    return CommandLine(["-m", "mnist_tasks"], tmp_path, fork_server)


@pytest.fixture
def small_cli(tmp_path: Path, fork_server: ForkServer) -> CommandLine:
    """Run the command line on the small data set."""
    return small_cli_in(tmp_path, fork_server)


@pytest.fixture
def python(tmp_path: Path, fork_server: ForkServer) -> CommandLine:
    """Run ``python`` in an empty folder: a script, or ``-m`` and a module, or ``-c`` and code."""
    return CommandLine([], tmp_path, fork_server)


@dataclass(frozen=True)
class CommandLine:
    """Commands in processes of their own, in a folder that has the data.

    Attributes
    ----------
    python_arguments
        What comes before a command's own arguments.
    """

    python_arguments: list[str]
    folder: Path
    server: ForkServer

    def __call__(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        folder: str = "",
        fresh: bool = False,
    ) -> Run:
        """Run a command.

        Parameters
        ----------
        env
            Variables that are added to those of the tests.
        folder
            Its working folder.
        fresh
            Start Python anew: for what depends on that. It takes seconds if TensorFlow is needed.
        """
        run = run_anew if fresh else self.server.run
        done = run(
            [*self.python_arguments, *map(str, arguments)],
            cwd=self.folder / folder,
            env={**os.environ, "MNIST_TASKS_DATA": str(self.folder / "data"), **(env or {})},
        )
        return Run(done.args, done.returncode, _text(done.stdout), _text(done.stderr))


def small_cli_in(folder: Path, server: ForkServer) -> CommandLine:
    """Return what runs the command line on the small data set in a folder."""
    return CommandLine([str(SMALL_CLI), str(folder / "data")], folder, server)


def restore_ctrl_c() -> None:
    """Restore signals in a new process: a shell ignores some in the background, nohup SIGHUP."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def end_group(process: subprocess.Popen[str]) -> None:
    """Kill a process that started its own session, with every process in it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _take_coverage_variables() -> dict[str, str]:
    return {name: os.environ.pop(name) for name in [*os.environ] if name.startswith("COVERAGE_")}


def _text(output: bytes) -> str:
    return io.TextIOWrapper(io.BytesIO(output), encoding="utf-8").read()
