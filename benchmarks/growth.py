"""How the work grows with workers: a sweep's time, and one training's images a second.

``python benchmarks/growth.py`` runs the same eight short runs one after the other as single
trainings, then as a sweep with one worker of two threads and with two workers of one thread; and
one training in one process and in two, which TF_CONFIG joins over loopback, one thread each. All
take turns. The models of the eight runs have to be the same, byte for byte, wherever they ran.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import processes
from processes import Spread

from mnist_tasks.data import store
from mnist_tasks.data.files import sha256

CLI = (sys.executable, "-m", "mnist_tasks")
SEEDS = range(8)
ONE_BY_ONE, ONE_WORKER, TWO_WORKERS = "8 trainings in turn", "1 worker", "2 workers"


def main() -> None:
    """Measure both, in turn, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=6000, help="training images of a short run")
    parser.add_argument("--images", type=int, default=60_000, help="images of the one training")
    options = parser.parse_args()
    folder = Path(os.environ.get("MNIST_TASKS_DATA") or store.default_folder())
    data = ("--data-dir", str(folder), "--offline")
    sweeps([*data, "--limit", str(options.limit)], options.rounds)
    one_training([*data, "--limit", str(options.images)], options.rounds)


def sweeps(options: list[str], rounds: int) -> None:
    """Time the same eight runs three ways."""
    seconds: dict[str, list[float]] = {}
    for number in range(rounds):
        models = {}
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            begun = time.perf_counter()
            for seed in SEEDS:
                single = ["--seed", str(seed), "--threads", "2", "--output", f"{seed}.h5"]
                processes.run([*CLI, "train", *options, *single], work)
            seconds.setdefault(ONE_BY_ONE, []).append(time.perf_counter() - begun)
            models[ONE_BY_ONE] = [sha256(work / f"{seed}.h5") for seed in SEEDS]
            for way, workers, threads in ((ONE_WORKER, 1, 2), (TWO_WORKERS, 2, 1)):
                swept = ["--workers", str(workers), "--threads", str(threads), "--output", way]
                command = [*CLI, "sweep", "--seeds", f"0-{len(SEEDS) - 1}", *options, *swept]
                usage = processes.run(command, work)
                seconds.setdefault(way, []).append(usage.wall)
                models[way] = [
                    sha256(next((work / way).glob(f"*-{seed}/model.h5"))) for seed in SEEDS
                ]
        if len(set(map(tuple, models.values()))) != 1:
            sys.exit("the models differ")
        print(f"round {number + 1}: {shown(seconds)}", flush=True)
    for other in (ONE_BY_ONE, ONE_WORKER):
        pairs = zip(seconds[TWO_WORKERS], seconds[other], strict=True)
        print_ratio(f"{TWO_WORKERS} / {other}", [ours / theirs for ours, theirs in pairs])


def one_training(options: list[str], rounds: int) -> None:
    """Measure the images a second of one training in one process and in two."""
    speeds: dict[str, list[float]] = {}
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            for way, count in ((ONE_WORKER, 1), (TWO_WORKERS, 2)):
                records = train_together(count, options, Path(name))
                if len({record["model"]["sha256"] for record in records}) != 1:
                    sys.exit("the workers' weights differ")
                speed = records[0]["epochs"][-1]["images_per_second"]
                speeds.setdefault(way, []).append(speed)
        print(f"round {number + 1}, images/s: {shown(speeds)}", flush=True)
    pairs = zip(speeds[TWO_WORKERS], speeds[ONE_WORKER], strict=True)
    print_ratio(f"images/s, {TWO_WORKERS} / {ONE_WORKER}", [two / one for two, one in pairs])


def train_together(count: int, options: list[str], folder: Path) -> list[dict[str, Any]]:
    """Train one model in some processes, and return the record that each of them has."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    cluster = {"worker": addresses}
    workers = []
    for index in range(count):
        task = {"type": "worker", "index": index}
        joined = {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})} if count > 1 else {}
        workers.append(
            subprocess.Popen(
                [*CLI, "train", *options, "--threads", "1", "--json"],
                cwd=folder,
                env={**os.environ, **joined},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    said = [worker.communicate() for worker in workers]
    if any(worker.returncode for worker in workers):
        sys.exit("\n".join(error for _, error in said))
    return [json.loads(output) for output, _ in said]


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def shown(figures: dict[str, list[float]]) -> str:
    """Return the latest of some figures."""
    return ", ".join(f"{name} {values[-1]:,.1f}" for name, values in figures.items())


def print_ratio(name: str, ratios: list[float]) -> None:
    """Print the middle and the ends of ratios."""
    spread = Spread.of(ratios)
    print(f"{name}: {spread.median:.2f} ({spread.lowest:.2f} to {spread.highest:.2f})")


if __name__ == "__main__":
    main()
