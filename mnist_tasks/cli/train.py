"""The command ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks import config, dataset_info
from mnist_tasks.cli import completion
from mnist_tasks.cli.common import (
    AsJson,
    DataDir,
    DatasetName,
    MirrorUrl,
    Offline,
    Quiet,
    Runs,
)
from mnist_tasks.cli.output import Outcome, finish


def train(
    recipe: Annotated[
        str,
        typer.Option(
            autocompletion=completion.recipes,
            help="Recipe to train: default, plain, accurate, small, tiny or one of your own.",
        ),
    ] = "default",
    network: Annotated[
        str | None,
        typer.Option(
            help="Your own network instead of the recipe's: net.py, net.py:build or "
            "package.module:build. The function returns a Keras model. This runs your code.",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images per step.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Peak learning rate of the schedule.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Another setting of the recipe, such as max_shift=0; repeatable."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Random seed for weight initialization, shuffling and dropout.")
    ] = 0,
    device: Annotated[
        str,
        typer.Option(
            envvar="MNIST_TASKS_DEVICE",
            autocompletion=completion.one_of(*config.DEVICES),
            help="Device to train on: auto, cpu, gpu, gpu:N or all (GPUs).",
        ),
    ] = "auto",
    threads: Annotated[
        int | None, typer.Option(help="TensorFlow threads on the CPU \\[default: all cores]")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="Precision of the convolutions: float32 or mixed_bfloat16.")
    ] = "float32",
    limit: Annotated[int | None, typer.Option(help="Train on the first N images only.")] = None,
    validation: Annotated[
        int,
        typer.Option(
            help="Hold out the last N training images, and evaluate on them after each epoch."
        ),
    ] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Model file to write: .h5 or .keras.")
    ] = config.LATEST_MODEL,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a model file that no run made.")
    ] = False,
    if_needed: Annotated[
        bool,
        typer.Option(
            "--if-needed",
            help="Train only if the settings, code, data, versions or model file are not those of "
            "the last training.",
        ),
    ] = False,
    runs: Runs = config.RUNS_FOLDER,
    dataset: DatasetName = dataset_info.MNIST.name,
    data_dir: DataDir = None,
    mirror: MirrorUrl = None,
    offline: Offline = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Train a recipe or a network of your own, and save the model and the run record."""
    from mnist_tasks import api
    from mnist_tasks.data import datasets
    from mnist_tasks.data.loading import DataConfig
    from mnist_tasks.training.settings import parse_one_each

    record = api.train(
        recipe=recipe,
        network=network or None,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        settings=dict(parse_one_each(tuple(settings or ()))),
        seed=seed,
        device=device,
        threads=threads,
        precision=precision,
        limit=limit,
        validation=validation,
        output=output,
        force=force,
        runs_dir=runs,
        if_needed=if_needed,
        data=DataConfig(
            folder=data_dir, mirror=mirror, offline=offline, dataset=datasets.find(dataset)
        ),
        progress=True,
    )
    from mnist_tasks.reporting.terminal import results

    return finish(record, results.trained, as_json=as_json)
