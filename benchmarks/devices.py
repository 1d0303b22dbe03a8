"""Measure the speed and the accuracy of a training on several devices and in bfloat16.

``python benchmarks/devices.py --seeds 3`` trains on the first 50,000 training images, with each
seed on every device in turn, and evaluates on the last 10,000, the validation images. The two
devices are halves of the CPU.
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
from mnist_tasks.training import tensorflow_setup

VALIDATION_IMAGES = 10_000
ONE_DEVICE = ["-m", "mnist_tasks"]
TWO_DEVICES = [str(Path(__file__).resolve()), "--split"]
VARIANTS = {
    "one device, 2 threads": (ONE_DEVICE, ["--device", "cpu", "--threads", "2"]),
    "two devices, 2 threads": (TWO_DEVICES, ["--device", "all", "--threads", "2"]),
    "one device, 1 thread": (ONE_DEVICE, ["--device", "cpu", "--threads", "1"]),
    "mixed_bfloat16, 2 threads": (
        ONE_DEVICE,
        ["--device", "cpu", "--threads", "2", "--precision", "mixed_bfloat16"],
    ),
}


def main() -> None:
    """Train, evaluate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds: 0, 1, 2, ...")
    most = 60_000 - VALIDATION_IMAGES
    parser.add_argument("--limit", type=int, default=most, help="training images of each run")
    wanted = parser.parse_args()
    seeds = range(wanted.seeds)
    tensorflow_setup.import_tensorflow()
    folder = Path(os.environ.get("MNIST_TASKS_DATA") or store.default_folder()).resolve()
    digits = store.load(folder, "train")
    images = digits.images[-VALIDATION_IMAGES:, ..., None] / np.float32(255)
    labels = digits.labels[-VALIDATION_IMAGES:]
    limit = ["--limit", str(wanted.limit), "--data-dir", str(folder)]
    results: dict[str, list[tuple[float, float]]] = {variant: [] for variant in VARIANTS}
    for seed in seeds:
        for variant, (program, options) in VARIANTS.items():
            arguments = [*program, "train", "--json", "--seed", str(seed), *limit, *options]
            speed, model = train(arguments)
            predicted = model.predict(images, batch_size=1000, verbose=0).argmax(axis=1)
            results[variant].append((speed, 100 * float((predicted == labels).mean())))
    base = results["one device, 2 threads"]
    for variant, found in results.items():
        speeds, accuracies = zip(*found, strict=True)
        ratio = statistics.median(speed / one[0] for speed, one in zip(speeds, base, strict=True))
        spread = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
        print(
            f"{variant:<27} {statistics.median(speeds):7,.0f} images/s ({ratio:.2f})  "
            f"{statistics.mean(accuracies):.3f} ± {spread:.3f}%"
        )


def train(arguments: list[str]) -> tuple[float, Any]:
    """Train in another process; return images/s and the model."""
    import keras

    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=work,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        record = json.loads(done.stdout)["result"]
        model = keras.models.load_model(Path(work) / record["model"]["path"], compile=False)
        return record["epochs"][-1]["images_per_second"], model


def split_cpu() -> None:
    """Run the command line in this process, with its CPU split into two devices."""
    tensorflow_setup.import_tensorflow()
    import tensorflow as tf

    from mnist_tasks.cli.app import main as command_line

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    command_line(sys.argv[2:])


if __name__ == "__main__":
    split_cpu() if sys.argv[1:2] == ["--split"] else main()
