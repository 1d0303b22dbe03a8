"""Kill commands at random moments, and say what each left or lost: ``python -m tests.kills 100``.

Every command runs on a small data set in one folder, which grows from kill to kill. After each
kill, the command is run again if it has left something: then nothing may be left.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mnist_tasks import disk, run_models, run_store, temporary
from tests import examples
from tests.conftest import SMALL_CLI, restore_ctrl_c

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
CODES = {signal.SIGKILL: {-9}, signal.SIGTERM: {-15, 143}, signal.SIGINT: {-2, 130}}
MARK = "MNIST_TASKS_KILLS"  # a variable of every process that is started here
SECONDS = 600.0
TASKS = """
import sys
import mnist_tasks.tasks
mnist_tasks.tasks.CLI = (sys.executable, {!r}, {!r})
from mnist_tasks.tasks import *
"""


@dataclass(frozen=True)
class Command:
    """A command to kill.

    Attributes
    ----------
    begin
        Makes the folder such that there is something to do.
    after
        Another command that has to run once before.
    """

    words: str
    begin: Callable[[Path], object] = lambda _: None
    after: str = ""
    invoke: bool = False

    @property
    def name(self) -> str:
        """Return a short name for it."""
        words = self.words.split()
        return " ".join((["invoke"] if self.invoke else []) + words[: 1 + (words[0] == "runs")])


def _empty_cache(folder: Path) -> None:
    shutil.rmtree(folder / "cache", ignore_errors=True)


def _new_sweep(folder: Path) -> None:
    if (folder / "sweep" / "sweep.json").exists():
        shutil.rmtree(folder / "sweep")


def _many_runs(folder: Path) -> None:
    """Add runs without a model; the newest of all is the one that was trained."""
    for number in range(20):
        record = replace(examples.run(number), created="2020-01-01T00:00:00+00:00")
        run_store.save(record, folder / "runs")


COMMANDS = (
    Command("init new", lambda folder: shutil.rmtree(folder / "new", ignore_errors=True)),
    Command("fetch --from data --data-dir cache", _empty_cache),
    Command("train --limit 100 --epochs 1"),
    Command("train --limit 100 --epochs 1", invoke=True),
    Command("check --junit junit.xml --markdown check.md"),
    Command("check model_latest.h5", invoke=True),
    Command("vet model_latest.h5"),
    Command("report latest --markdown report.md --csv tables"),
    Command("report latest", invoke=True),
    Command("sweep --recipe plain --seeds 0-1 --limit 50 -o sweep", _new_sweep),
    Command(
        "false-alarms done",
        after="sweep --recipe plain --seeds 0-1 --limit 50 --test -o done",
    ),
    Command("doctor --offline"),
    Command("runs list"),
    Command("runs prune --keep 1 --yes", _many_runs),
)


@dataclass
class Kill:
    """A kill, and what came of it.

    Attributes
    ----------
    left
        Temporary files, and processes.
    left_later
        What is there after the same command has run again.
    wrong
        Files that are lost or not whole, and unexpected exit codes or messages.
    """

    command: str
    number: signal.Signals
    to_group: bool
    seconds: float
    code: int | None = None
    left: list[str] = field(default_factory=list)
    left_later: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def prepare(folder: Path, commands: Sequence[Command]) -> None:
    """Make what the commands need."""
    (folder / "temporary").mkdir(parents=True)
    (folder / "tasks.py").write_text(TASKS.format(str(SMALL_CLI), str(folder / "data")))
    for words in ("train --epochs 1 --limit 400", *filter(None, (each.after for each in commands))):
        done = _start(Command(words), folder)
        _, stderr = done.communicate(timeout=SECONDS)
        if done.returncode:
            raise RuntimeError(f"{words}: {stderr}")


def kill(command: Command, number: signal.Signals, moment: float, folder: Path) -> Kill:
    """Kill a command once.

    Parameters
    ----------
    moment
        In seconds after its start; the group of the process is killed if its digits are even.
    """
    done = Kill(command.name, number, int(moment * 1000) % 2 == 0, moment)
    command.begin(folder)
    before = _content(folder)
    process = _start(command, folder)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=moment)
    if process.poll() is None:
        if done.to_group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    _, stderr = process.communicate(timeout=SECONDS)
    done.code = process.returncode
    if done.code not in {0, 1, *CODES[number]}:
        done.wrong.append(f"code {done.code}: {stderr[-1000:]}")
    # Ctrl-C while Python itself starts gives a traceback, and sometimes the code 1.
    elif "Traceback" in stderr and "mnist_tasks" in stderr and ", in main" in stderr:
        done.wrong.append(stderr[-1000:])
    processes = _processes(folder, patience=SECONDS)
    done.left = _temporary_files(folder) + processes
    if number != signal.SIGKILL and done.left:
        done.wrong += [f"left after {number.name}: {each}" for each in done.left]
    done.wrong += _lost(before, _content(folder), command) + _not_whole(folder)
    if done.left:
        again = _start(command, folder)
        _, stderr = again.communicate(timeout=SECONDS)
        if again.returncode not in (0, 1):
            done.wrong.append(f"again: code {again.returncode}: {stderr[-1000:]}")
        done.left_later = _temporary_files(folder) + _processes(folder, patience=0)
        done.wrong += [f"left later: {each}" for each in done.left_later] + _not_whole(folder)
    return done


def run(
    count: int,
    folder: Path,
    *,
    seed: int = 0,
    commands: Sequence[Command] = COMMANDS,
    show: Callable[[str], object] = print,
) -> bool:
    """Kill commands, each in turn and with each signal in turn; return whether nothing is wrong."""
    choose = random.Random(seed)  # noqa: S311 - not a secret
    prepare(folder, commands)
    seconds: dict[str, float] = {}
    kills: list[Kill] = []
    for index in range(count):
        command = commands[index % len(commands)]
        number = SIGNALS[(index % len(commands) + index // len(commands)) % len(SIGNALS)]
        if command.name not in seconds:
            command.begin(folder)
            start = time.monotonic()
            _start(command, folder).communicate(timeout=SECONDS)
            seconds[command.name] = time.monotonic() - start
        found = kill(command, number, choose.uniform(0, seconds[command.name]), folder)
        kills.append(found)
        show(f"{index + 1:3} {found}" if found.wrong else f"{index + 1:3} {_line(found)}")
    show(_table(kills))
    return not any(each.wrong for each in kills)


def _start(command: Command, folder: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "invoke"] if command.invoke else []
    words = words or [sys.executable, str(SMALL_CLI), str(folder / "data")]
    return subprocess.Popen(
        [*words, *command.words.split()],
        cwd=folder,
        env={
            **os.environ,
            "MNIST_TASKS_DATA": str(folder / "data"),
            "TMPDIR": str(folder / "temporary"),
            "PYTHONPATH": str(SMALL_CLI.parents[1]),
            MARK: str(folder),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=restore_ctrl_c,
    )


def _temporary_files(folder: Path) -> list[str]:
    """List what has a temporary name, and everything in the temporary folder."""
    found = {*folder.rglob(f"{temporary.PREFIX}*"), *(folder / "temporary").iterdir()}
    return sorted(str(path.relative_to(folder)) for path in found)


def _processes(folder: Path, *, patience: float) -> list[str]:
    """List the processes that were started here and still run; wait for those that are ending."""
    end = time.monotonic() + min(patience, 60)
    while True:
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if f"{MARK}=".encode() in path.read_bytes() and path.parent.name != str(
                    os.getpid()
                ):
                    found.append((path.parent / "cmdline").read_bytes().decode()[:200])
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.1)


def _content(folder: Path) -> dict[Path, str]:
    """Return the hashes of the files that a command may write."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_relative_to(folder / "data") and path.name != ".lock"
    }


def _lost(before: dict[Path, str], after: dict[Path, str], command: Command) -> list[str]:
    """List the files that are gone."""
    gone = {path for path in before.keys() - after.keys() if temporary.PREFIX not in str(path)}
    if "prune" in command.words:  # the newest run has a model
        gone = {path for path in gone if path.with_name("model.h5").exists()}
    return [f"lost: {path}" for path in sorted(gone)]


def _not_whole(folder: Path) -> list[str]:
    """List the files that are not as a command that has ended writes them."""
    files = [
        path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")
    ]
    wrong = [
        f"not whole: {path}"
        for path in files
        if temporary.PREFIX not in str(path) and not _is_whole(path, folder)
    ]
    hashes = set()
    for runs in (folder / "runs", folder / "sweep", folder / "done"):
        stored = run_store.read_all(runs)
        wrong += stored.skipped
        for record in stored.records:
            hashes.add(record.model.sha256)
            own = run_models.kept(record, runs / record.id)
            if own.exists() and disk.sha256(own) != record.model.sha256:
                wrong.append(f"not the model of its record: {own}")
    for path in (folder / "runs").iterdir():
        if path.is_dir() and not path.name.startswith(".") and not (path / "run.json").exists():
            wrong.append(f"no run: {path}")
    if disk.sha256(folder / "model_latest.h5") not in hashes:
        wrong.append("model_latest.h5 has no record")
    return wrong


def _is_whole(path: Path, folder: Path) -> bool:
    content = path.read_bytes()
    ends = {".html": b"</html>", ".xml": b">"}
    with contextlib.suppress(ValueError, zipfile.BadZipFile):
        if path.suffix == ".json":
            return bool(json.loads(content))
        if path.suffix == ".npz":
            return zipfile.ZipFile(path).testzip() is None
        if path.parent == folder / "cache":
            return content == (folder / "data" / path.name).read_bytes()
        return bool(content) and content.rstrip().endswith(ends.get(path.suffix, b""))
    return False


def _line(done: Kill) -> str:
    whom = "group" if done.to_group else "alone"
    left = ", ".join(done.left) or "nothing"
    return (
        f"{done.command:15} {done.number.name:7} {whom} after {done.seconds:5.2f} s: "
        f"code {done.code}, left {left}; later {', '.join(done.left_later) or 'nothing'}"
    )


def _table(kills: Sequence[Kill]) -> str:
    lines = ["| command | signal | kills | ended before | left | left later | wrong |"]
    lines.append("|---|---|---|---|---|---|---|")
    for command, name in sorted(Counter((each.command, each.number.name) for each in kills)):
        these = [each for each in kills if (each.command, each.number.name) == (command, name)]
        counts = (
            len(these),
            sum(each.code in (0, 1) for each in these),
            sum(bool(each.left) for each in these),
            sum(bool(each.left_later) for each in these),
            sum(bool(each.wrong) for each in these),
        )
        lines.append(f"| {command} | {name} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)


def main() -> None:
    """Kill as many commands as wanted; exit with 1 if something was lost or left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(not run(given.count, Path(folder, "work"), seed=given.seed))


if __name__ == "__main__":
    main()
