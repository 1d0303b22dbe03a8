"""Measure how the time of a sweep depends on the number of workers.

``python benchmarks/growth.py`` does the same eight short runs as separate trainings, as a sweep
with one worker of two threads, and as a sweep with two workers of one thread, several rounds in
turn. The models must be the same, byte for byte.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import processes
from processes import Spread

from mnist_tasks.data import store
from mnist_tasks.disk import sha256

CLI = (sys.executable, "-m", "mnist_tasks")
ONE_BY_ONE, ONE_WORKER, TWO_WORKERS = "separate trainings", "1 worker", "2 workers"


def main() -> None:
    """Measure and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=6000, help="training images of each run")
    parser.add_argument("--seeds", type=int, default=8, help="number of runs")
    options = parser.parse_args()
    folder = Path(os.environ.get("MNIST_TASKS_DATA") or store.default_folder())
    data = ("--data-dir", str(folder), "--offline")
    sweeps([*data, "--limit", str(options.limit)], options.rounds, range(options.seeds))


def sweeps(options: list[str], rounds: int, seeds: range) -> None:
    """Time the same runs in three ways."""
    seconds: dict[str, list[float]] = {}
    for number in range(rounds):
        models = {}
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            start = time.perf_counter()
            for seed in seeds:
                single = ["--seed", str(seed), "--threads", "2", "--output", f"{seed}.h5"]
                processes.run([*CLI, "train", *options, *single], work)
            seconds.setdefault(ONE_BY_ONE, []).append(time.perf_counter() - start)
            models[ONE_BY_ONE] = [sha256(work / f"{seed}.h5") for seed in seeds]
            for way, workers, threads in ((ONE_WORKER, 1, 2), (TWO_WORKERS, 2, 1)):
                swept = ["--workers", str(workers), "--threads", str(threads), "--output", way]
                command = [*CLI, "sweep", "--seeds", f"0-{len(seeds) - 1}", *options, *swept]
                usage = processes.run(command, work)
                seconds.setdefault(way, []).append(usage.wall)
                models[way] = [
                    sha256(next((work / way).glob(f"*-{seed}/model.h5"))) for seed in seeds
                ]
        if len(set(map(tuple, models.values()))) != 1:
            sys.exit("the models differ")
        print(f"round {number + 1}: {shown(seconds)}", flush=True)
    for other in (ONE_BY_ONE, ONE_WORKER):
        pairs = zip(seconds[TWO_WORKERS], seconds[other], strict=True)
        print_ratio(f"{TWO_WORKERS} / {other}", [ours / theirs for ours, theirs in pairs])


def shown(figures: dict[str, list[float]]) -> str:
    """Return the latest figures as text."""
    return ", ".join(f"{name} {values[-1]:,.1f}" for name, values in figures.items())


def print_ratio(name: str, ratios: list[float]) -> None:
    """Print the median, the lowest and the highest of ratios."""
    spread = Spread.of(ratios)
    print(f"{name}: {spread.median:.2f} ({spread.lowest:.2f} to {spread.highest:.2f})")


if __name__ == "__main__":
    main()
