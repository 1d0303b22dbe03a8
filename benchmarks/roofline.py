"""Measure what fraction of the machine's arithmetic a training of the default recipe reaches.

``python benchmarks/roofline.py`` compares the floating-point operations per second of an epoch with
those of a large matrix product on the same cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from mnist_tasks.data import store
from mnist_tasks.training import tensorflow_setup

SIDE = 2048  # of the square matrices, float32


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="number of trainings")
    parser.add_argument("--limit", type=int, default=60_000, help="number of images")
    options = parser.parse_args()
    runs = [train(options.limit) for _ in range(options.rounds)]
    layers = [layer["operations"] for layer in runs[0]["network"]]
    forward = 2 * sum(layers)
    # The gradient with respect to the images is not computed.
    backward = 2 * forward - 2 * layers[0]
    operations = forward + backward
    seconds = statistics.median(run["epochs"][0]["seconds"] for run in runs)
    reached, possible = operations * options.limit / seconds, matrix_product()
    print(f"operations per image: {forward:,} forward, {backward:,} backward")
    print(f"one epoch: {seconds:.2f} s with tracing, {reached / 1e9:.0f} GFLOP/s")
    print(f"matrix product {SIDE}x{SIDE}: {possible / 1e9:.0f} GFLOP/s")
    print(f"reached: {reached / possible:.0%}")


def train(limit: int) -> dict[str, Any]:
    """Return the record of one epoch on so many images, with the tracing of the graph."""
    folder = os.environ.get("MNIST_TASKS_DATA") or str(store.default_folder())
    command = [sys.executable, "-m", "mnist_tasks", "train", "--json", "--data-dir", folder]
    command += ["--limit", str(limit)]
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(command, cwd=Path(work), capture_output=True, check=True)
    record: dict[str, Any] = json.loads(done.stdout)["result"]
    return record


def matrix_product() -> float:
    """Return the floating-point operations per second of a large matrix product."""
    tensorflow_setup.import_tensorflow()
    import tensorflow as tf

    left, right = tf.random.normal((2, SIDE, SIDE))
    rates = []
    for _ in range(10):
        start = time.perf_counter()
        tf.linalg.matmul(left, right).numpy()
        rates.append(2 * SIDE**3 / (time.perf_counter() - start))
    return statistics.median(rates)


if __name__ == "__main__":
    main()
