"""The command ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks import config, dataset_info
from mnist_tasks.cli import completion
from mnist_tasks.cli.check import CheckedDataset, ContractFile, RequireIsolation
from mnist_tasks.cli.common import (
    AsJson,
    DataDir,
    MirrorUrl,
    Offline,
    Quiet,
    Runs,
    is_given,
)
from mnist_tasks.cli.output import Outcome, finish


def export(
    context: typer.Context,
    model: Annotated[
        Path, typer.Argument(help="Model file.", metavar="MODEL", readable=False)
    ] = config.LATEST_MODEL,
    to_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            autocompletion=completion.formats,
            help="Format: onnx, litert or saved-model \\[default: that of --output, if it ends in "
            ".onnx or .tflite, or else onnx]",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write, or folder of a SavedModel \\[default: the model's path, with the "
            "ending of the format]",
        ),
    ] = None,
    contract: ContractFile = None,
    runs: Runs = config.RUNS_FOLDER,
    dataset: CheckedDataset = dataset_info.MNIST.name,
    data_dir: DataDir = None,
    mirror: MirrorUrl = None,
    offline: Offline = False,
    require_isolation: RequireIsolation = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Export a model to ONNX, LiteRT or a SavedModel that predicts the same.

    Runs what was made on all test images. Keeps it only if every class is the same and no
    probability differs by more than 1e-5.
    """
    from mnist_tasks import api
    from mnist_tasks.checking import model_dataset
    from mnist_tasks.data.loading import DataConfig
    from mnist_tasks.exporting import formats
    from mnist_tasks.reporting.terminal import exported

    chosen = formats.choose(to_format, output)
    named = dataset if is_given(context, "dataset") else None
    known = model_dataset.choose(model, runs, named=named, default=dataset)
    result = api.export(
        model,
        format=chosen,
        output=output,
        contract=contract,
        data=DataConfig(folder=data_dir, mirror=mirror, offline=offline, dataset=known),
        require_isolation=require_isolation,
        progress=True,
    )
    return finish(result, exported.exported, as_json=as_json)
