"""Whole processes, timed by the operating system's own account, in turn."""

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
    """What one process took.

    Attributes
    ----------
    wall, cpu
        Seconds; `cpu` adds user and system time, children's too.
    memory
        MiB, the largest resident set.
    """

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The middle and the ends of some figures."""

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
    """Run a command to its end.

    Raises
    ------
    RuntimeError
        It ended with an exit code other than 0.
    """
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            tail = said.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{command} ended with {process.returncode}:\n{tail}")
    return Usage(wall=wall, cpu=used.ru_utime + used.ru_stime, memory=used.ru_maxrss / 1024)


def in_turn(
    commands: Mapping[str, Sequence[str]], *, rounds: int, folder: Path
) -> dict[str, list[Usage]]:
    """Run each command once a round, one after the other: A B A B."""
    usages: dict[str, list[Usage]] = {name: [] for name in commands}
    for number in range(1, rounds + 1):
        for name, command in commands.items():
            usage = run(command, folder)
            usages[name].append(usage)
            print(f"{name}, round {number} of {rounds}: {usage.wall:.2f} s", flush=True)
    return usages


def ratios(ours: Sequence[Usage], theirs: Sequence[Usage]) -> dict[str, Spread]:
    """Compare two commands figure by figure, round by round: ours divided by theirs.

    ``seconds more`` is the difference of the wall times, for what has hardly any of its own.
    """
    pairs = list(zip(ours, theirs, strict=True))
    return {
        "wall": Spread.of([mine.wall / other.wall for mine, other in pairs]),
        "cpu": Spread.of([mine.cpu / other.cpu for mine, other in pairs]),
        "memory": Spread.of([mine.memory / other.memory for mine, other in pairs]),
        "seconds more": Spread.of([mine.wall - other.wall for mine, other in pairs]),
    }
