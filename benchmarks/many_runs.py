"""Measure how long the commands that read records take in a folder of thousands of runs.

``python benchmarks/many_runs.py`` trains and checks one model, copies its folder 5,000 times with
other ids, seeds, hashes and results, and prints for each command the wall time and the time of the
CPU, medians of several rounds, and the largest resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import processes

from mnist_tasks.data import store

CLI = (sys.executable, "-m", "mnist_tasks")
START = datetime(2026, 1, 1, tzinfo=UTC)
COMMANDS = {
    "runs list": ("runs", "list"),
    "runs list --most 20": ("runs", "list", "--most", "20"),
    "runs list --json": ("runs", "list", "--json"),
    "runs show latest": ("runs", "show", "latest"),
    "report": ("report",),
    "report --no-html": ("report", "--no-html"),
    "report of two runs": ("report", "latest", "run-00001"),
    "train --if-needed": ("train", "--if-needed", "--limit", "6000", "--offline"),
    "runs prune --keep 4990 --yes": ("runs", "prune", "--keep", "4990", "--yes"),
}


def main() -> None:
    """Make the folder, and time each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5_000, help="number of runs")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ.setdefault("MNIST_TASKS_DATA", str(store.default_folder()))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        processes.run([*CLI, "train", "--limit", "6000", "--offline"], work)
        processes.run([*CLI, "check", "--offline", "--contract", str(lenient(work))], work)
        fill(work / "runs", options.runs)
        for title, words in COMMANDS.items():
            usages = [processes.run([*CLI, *words], work) for _ in range(options.rounds)]
            wall = statistics.median(usage.wall for usage in usages)
            cpu = statistics.median(usage.cpu for usage in usages)
            memory = max(usage.memory for usage in usages)
            print(f"{title:30} {wall:6.2f} s {cpu:6.2f} s CPU {memory:5.0f} MiB", flush=True)


def lenient(work: Path) -> Path:
    """Write a contract that a model of a short training passes."""
    path = work / "contract.toml"
    path.write_text("accuracy_above = 0.5\n")
    return path


def fill(runs: Path, count: int) -> None:
    """Copy the only run of a folder; the original becomes the newest of `count` runs."""
    (original,) = runs.glob("*/run.json")
    document = json.loads(original.read_bytes())
    dice = random.Random(0)  # noqa: S311 - the same folder every time
    for number in range(1, count):
        folder = runs / f"run-{number:05}"
        folder.mkdir()
        copy = json.dumps(changed(document, number, dice), indent=2)
        (folder / original.name).write_text(copy)
        for other in original.parent.iterdir():
            if other != original:
                (folder / other.name).hardlink_to(other)


def changed(document: dict[str, Any], number: int, dice: random.Random) -> dict[str, Any]:
    """Return the record of another run: its id, time, hash and results are its own."""
    model = document["model"] | {"sha256": f"{number:064x}", "parameters": 20_000 + number % 5_000}
    check = document["check"]
    confusion = [list(row) for row in check["metrics"]["confusion"]]
    for row, label in zip(confusion, range(len(confusion)), strict=True):
        wrong = dice.randrange(1, 20)
        row[label] -= wrong
        row[label - 1] += wrong
    return document | {
        "id": f"run-{number:05}",
        "created": (START + timedelta(minutes=number)).isoformat(),
        "seed": number,
        "model": model,
        "seconds": {
            name: value * dice.uniform(0.5, 2) for name, value in document["seconds"].items()
        },
        "check": check | {"model": model, "metrics": check["metrics"] | {"confusion": confusion}},
    }


if __name__ == "__main__":
    main()
