"""The command ``train``."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from mnist_tasks import config
from mnist_tasks.cli.common import AsJson, DataDir, MirrorUrl, Offline, Runs, load_digits, show


def train(
    recipe: Annotated[str, typer.Option(help="Which recipe: default or plain.")] = "default",
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak of the schedule.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Another setting of the recipe, such as max_shift=0; may be repeated."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and dropout.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, gpu, gpu:N or all (GPUs).")] = "auto",
    threads: Annotated[
        int | None, typer.Option(help="Of TensorFlow on the CPU; all cores by default.")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="Of the arithmetic: float32 or mixed_bfloat16.")
    ] = "float32",
    limit: Annotated[int | None, typer.Option(help="Train on the first N images only.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Model file to write: .h5 or .keras.")
    ] = config.LATEST_MODEL,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Folder for TensorBoard's logs; needs its extra.")
    ] = None,
    runs: Runs = config.RUNS_FOLDER,
    data_dir: DataDir = None,
    mirror: MirrorUrl = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Train a recipe, and save its model and the record of the run."""
    from mnist_tasks.training.settings import parse_one_each

    wanted = config.TrainingConfig(
        recipe=recipe,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        settings=parse_one_each(tuple(settings or ())),
        seed=seed,
        device=device,
        threads=config.available_cores() if threads is None else threads,
        precision=precision,
        limit=limit,
        output=output,
    )
    from mnist_tasks import disk, run_store
    from mnist_tasks.reporting.terminal.progress import TrainingProgress
    from mnist_tasks.training import run
    from mnist_tasks.training.tensorboard import logged

    disk.try_writing(runs, remedy=run_store.OTHER_FOLDER)
    config.refuse_many_workers(os.environ)
    with TrainingProgress() as shown, logged(shown, tensorboard) as progress:
        record = run.train(
            wanted,
            lambda: load_digits("train", data_dir, mirror=mirror, offline=offline),
            progress=progress,
            note=shown.note,
        )
    run_store.save(record, runs)
    show("trained", record, as_json=as_json)
