"""Train a recipe with many seeds and say how accurate it is: each, mean, standard deviation.

``python benchmarks/seeds.py`` looks at the test set: when a recipe stands, never to choose it.
``--held-out`` trains on the first 50,000 training images and looks at the last 10,000, to choose.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from mnist_tasks.data import store
from mnist_tasks.training import devices

HELD_OUT = 10_000


def main() -> None:
    """Train, evaluate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many: 0, 1, 2, ...")
    parser.add_argument("--held-out", action="store_true", help="leave the test set alone")
    parser.add_argument("options", nargs="*", help="options for mnist-tasks train, after --")
    options = parser.parse_args()
    devices.import_tensorflow()

    folder = Path(os.environ.get("MNIST_TASKS_DATA") or store.default_folder())
    digits = store.load(folder, "train" if options.held_out else "test")
    images, labels = digits.images[-HELD_OUT:], digits.labels[-HELD_OUT:]
    limit = ["--limit", str(60_000 - HELD_OUT)] if options.held_out else []
    accuracies = []
    for seed in range(options.seeds):
        model = train(seed, [*limit, "--data-dir", str(folder), *options.options])
        said = model.predict(images[..., None] / np.float32(255), batch_size=1000, verbose=0)
        accuracies.append(100 * float((said.argmax(axis=1) == labels).mean()))
        print(f"seed {seed}: {accuracies[-1]:.2f}%", flush=True)
    spread = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
    where = "held-out images" if options.held_out else "test images"
    print(
        f"{where}: {statistics.mean(accuracies):.3f} ± {spread:.3f}%, "
        f"lowest {min(accuracies):.2f}%, {len(accuracies)} seeds"
    )


def train(seed: int, options: list[str]) -> Any:
    """Train one seed in a process of its own, as a user would, and load what it left."""
    import keras

    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(
            [sys.executable, "-m", "mnist_tasks", "train", "--json", "--seed", str(seed), *options],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"seed {seed} ended with {done.returncode}:\n{done.stderr}")
        model = Path(work) / json.loads(done.stdout)["model"]["path"]
        return keras.models.load_model(model, compile=False)


if __name__ == "__main__":
    main()
