"""Run whole processes in turn, with times and memory as the operating system reports them."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Usage:
    """The time and the memory of one process.

    Attributes
    ----------
    wall, cpu
        Seconds; `cpu` is user plus system time, with that of children.
    memory
        Largest resident set, in MiB.
    """

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The median, the lowest and the highest of some figures."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Return the spread of at least one figure."""
        return cls(
            median=round(statistics.median(figures), 4),
            lowest=round(min(figures), 4),
            highest=round(max(figures), 4),
        )


def run(command: Sequence[str], folder: Path) -> Usage:
    """Run a command until it exits.

    Raises
    ------
    RuntimeError
        The exit code is not 0.
    """
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            tail = output.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{command} exited with {process.returncode}:\n{tail}")
    return Usage(wall=wall, cpu=used.ru_utime + used.ru_stime, memory=used.ru_maxrss / 1024)


def in_turn(
    commands: Mapping[str, Sequence[str]], *, rounds: int, folder: Path
) -> dict[str, list[Usage]]:
    """Run each command once per round, one after the other: A B A B."""
    usages: dict[str, list[Usage]] = {name: [] for name in commands}
    for number in range(1, rounds + 1):
        for name, command in commands.items():
            usage = run(command, folder)
            usages[name].append(usage)
            print(f"{name}, round {number} of {rounds}: {usage.wall:.2f} s", flush=True)
    return usages


def ratios(ours: Sequence[Usage], theirs: Sequence[Usage]) -> dict[str, Spread]:
    """Compare two commands figure by figure, round by round: ours divided by theirs.

    ``seconds more`` is the difference of the wall times, for comparisons with a process that does
    almost nothing.
    """
    pairs = list(zip(ours, theirs, strict=True))
    return {
        "wall": Spread.of([mine.wall / other.wall for mine, other in pairs]),
        "cpu": Spread.of([mine.cpu / other.cpu for mine, other in pairs]),
        "memory": Spread.of([mine.memory / other.memory for mine, other in pairs]),
        "seconds more": Spread.of([mine.wall - other.wall for mine, other in pairs]),
    }
