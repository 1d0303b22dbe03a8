"""Runs on disk for tests, with predictions for a small data set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mnist_tasks import predictions, run_store
from mnist_tasks.check_records import Layer
from mnist_tasks.checking import metrics
from mnist_tasks.code_records import NetworkSource
from mnist_tasks.data import datasets, store
from mnist_tasks.records import Epoch, Point, RunRecord
from mnist_tasks.reporting.run_view import RunView
from tests import examples

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mnist_tasks.data.datasets import Dataset

FIXED = ("status", "sha256", "trainer", "evaluated_on")  # one of a few words, or a hash
HOSTILE = "<script>alert(1)</script>\"'>\x1b[31m\u202e[red]|`@bob` {{ 7*7 }}" + "x" * 300


def probabilities(
    labels: NDArray[np.uint8], *, seed: int, classes: int = 10
) -> NDArray[np.float32]:
    """Return predictions with every degree of confidence; nine in ten are correct."""
    random = np.random.default_rng(seed)
    predicted = np.where(random.random(len(labels)) < 0.9, labels, (labels + 1) % classes)
    confidence = random.uniform(0.3, 0.99, len(labels))
    spread = np.repeat((1 - confidence)[:, np.newaxis] / (classes - 1), classes, axis=1)
    spread[np.arange(len(labels)), predicted] = confidence
    return spread.astype(np.float32)


def save(runs: Path, data: Path, number: int = 0, dataset: Dataset = datasets.MNIST) -> RunRecord:
    """Write a checked run, its record and its predictions."""
    info = dataset.info
    digits = store.load(store.folder_of(dataset, data), "test", datasets.KNOWN[info.name])
    found = probabilities(digits.labels, seed=number, classes=len(info.classes))
    measured = metrics.compute(found, digits.labels)
    checked = replace(examples.check(), metrics=measured, dataset=info)
    record = replace(
        examples.run(number, checked=checked),
        dataset=info,
        epochs=tuple(
            Epoch(
                epoch=n, loss=0.5 / n, accuracy=1 - 0.1 / n, seconds=2.0, images_per_second=15_000
            )
            for n in (1, 2)
        ),
        curve=tuple(
            Point(step=step, loss=3 / (step + 1), accuracy=1 - 1 / (step + 1))
            for step in range(1, 21)
        ),
        network=(
            Layer(
                name="conv2d",
                kind="Conv2D",
                output_shape=(None, 26, 26, 2),
                parameters=20,
                operations=12_168,
            ),
            Layer(
                name="dense",
                kind="Dense",
                output_shape=(None, 10),
                parameters=13_530,
                operations=13_520,
            ),
        ),
        filters=(((-1.0, 0.0), (0.5, 1.0)), ((0.1, 0.2), (0.3, 0.4))),
    )
    run_store.save(record, runs)
    predictions.save(found, runs / record.id)
    return record


def view(runs: Path, data: Path, number: int = 0, dataset: Dataset = datasets.MNIST) -> RunView:
    """Write a run and return the data of its report."""
    record = save(runs, data, number, dataset)
    return RunView(
        record=record,
        folder=runs / record.id,
        stored_runs=run_store.list_runs(runs),
        data_folder=data,
    )


def with_hostile_text(record: RunRecord) -> RunRecord:
    """Put markup, terminal escapes and very long words wherever a record has text."""

    def infest(value: Any, key: str = "", text: str = HOSTILE) -> Any:
        text = text[:64] if key == "dataset" else text
        if isinstance(value, dict):
            return {name: infest(each, name, text) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [infest(each, "", text) for each in value]
        return text if isinstance(value, str) and key not in FIXED else value

    infested = msgspec.convert(infest(msgspec.to_builtins(record)), RunRecord)
    return replace(
        infested,
        recipe={"name": HOSTILE, HOSTILE: HOSTILE, "layers": [HOSTILE, {"layer": HOSTILE}]},
        machine=replace(infested.machine, versions={HOSTILE: HOSTILE}),
        data={HOSTILE: HOSTILE},
        network_source=NetworkSource(
            path=HOSTILE, function=HOSTILE, text=f"{HOSTILE}\n</code>", sha256="0" * 64
        ),
        seconds={HOSTILE: 1.0},
    )
