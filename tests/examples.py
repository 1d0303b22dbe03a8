"""Example records for tests."""

from __future__ import annotations

from pathlib import Path

from mnist_tasks import json_text, listed_runs
from mnist_tasks.check_records import Check, Layer, Metrics, ModelFile
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.records import Epoch, Machine, Point, RunRecord
from mnist_tasks.run_store import StoredRuns
from mnist_tasks.verdict import Clause, Status, Verdict

MODEL = ModelFile(path="model_latest.h5", bytes=239_024, sha256="ab" * 32, parameters=21_586)

PARTS = DatasetInfo(
    name="parts",
    title="Parts",
    image_shape=(20, 24, 3),
    classes=("nut", "bolt", "washer", "screw"),
)
MANY = DatasetInfo(
    name="many",
    title="Many",
    image_shape=(64, 64, 3),
    classes=tuple(f"class {number:02} of a hundred" for number in range(100)),
)
ODD = DatasetInfo(
    name="odd",
    title="<script>|[red]",
    image_shape=(20, 24, 1),
    classes=(
        "<script>alert(1)</script>",
        "a|b [red]c[/red]\x1b[31m",
        "\u6f22\u5b57" * 16,
        "x" * 64,
    ),
)


def metrics() -> Metrics:
    """90 of 100 correct: ten images of each class, one of them predicted as the next class."""
    return Metrics(
        confusion=tuple(
            tuple(
                9 if predicted == true else int(predicted == (true + 1) % 10)
                for predicted in range(10)
            )
            for true in range(10)
        ),
        loss=0.25,
    )


def check(*, passed: bool = True) -> Check:
    status: Status = "passed" if passed else "failed"
    return Check(
        model=MODEL,
        layers=(Layer(name="dense", kind="Dense", output_shape=(None, 10), parameters=21_586),),
        trainable_parameters=21_400,
        non_trainable_parameters=186,
        verdict=Verdict(
            clauses=(
                Clause(name="parameters", bound="< 25,000", found="21,586", status="passed"),
                Clause(name="test accuracy", bound="> 95.00%", found="90.00%", status=status),
            )
        ),
        metrics=metrics(),
        seconds=2.5,
        created="2026-11-22T12:00:10+00:00",
    )


def run(number: int = 0, *, checked: Check | None = None) -> RunRecord:
    return RunRecord(
        id=f"20261122-12000{number}-00ff",
        created=f"2026-11-22T12:00:0{number}+00:00",
        command="mnist-tasks train --recipe default --seed 0",
        recipe={"name": "default", "epochs": 1, "layers": [{"layer": "Dropout", "rate": 0.1}]},
        seed=number,
        limit=None,
        machine=Machine(
            device="CPU", threads=2, cores=2, platform="Linux x86_64", versions={"keras": "3.15.1"}
        ),
        data={"train-images-idx3-ubyte": "cd" * 32},
        epochs=(
            Epoch(epoch=1, loss=0.13, accuracy=0.958, seconds=4.0, images_per_second=15_000.0),
        ),
        seconds={"data": 0.1, "fit": 4.0},
        model=MODEL,
        curve=(Point(step=1, loss=2.3, accuracy=0.1),),
        check=checked,
    )


def write(record: RunRecord, runs: Path) -> Path:
    """Write a record as it is, valid or not."""
    path = runs / record.id / "run.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json_text.to_json(record))
    return path


def stored(*records: RunRecord, skipped: tuple[str, ...] = ()) -> StoredRuns:
    """Runs as they are read from a folder, oldest first."""
    return StoredRuns(runs=tuple(map(listed_runs.of, records)), skipped=skipped)
