"""The command ``doctor``."""

from __future__ import annotations

from contextlib import nullcontext
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
    Runs,
)
from mnist_tasks.cli.output import Outcome, finish
from mnist_tasks.errors import UsageError, printable

DEVICES = ("auto", "cpu", "gpu")


def doctor(
    device: Annotated[
        str,
        typer.Option(
            autocompletion=completion.one_of(*DEVICES),
            help="Required device: auto, cpu or gpu. With gpu, it is an error if no GPU is usable.",
        ),
    ] = "auto",
    dataset: DatasetName = dataset_info.MNIST.name,
    data_dir: DataDir = None,
    runs: Runs = config.RUNS_FOLDER,
    mirror: MirrorUrl = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds that TensorFlow may take to start.")
    ] = 60.0,
    offline: Offline = False,
    as_json: AsJson = False,
) -> Outcome:
    """Check whether this machine can run the workflow, and if not, what to fix."""
    from mnist_tasks import console
    from mnist_tasks.data import datasets
    from mnist_tasks.environment import examine
    from mnist_tasks.reporting.terminal import doctor
    from mnist_tasks.vetting import trial

    known = datasets.find(dataset)
    messages = console.messages()
    waiting = messages.status("importing TensorFlow, vetting a model, checking the sources")
    with waiting if console.is_live(messages) else nullcontext():
        found = examine.examine(
            data_dir=data_dir,
            runs=runs,
            mirror=mirror,
            offline=offline,
            timeout=timeout,
            requires_gpu=_requires_gpu(device),
            dataset=known,
            try_vetting=trial.finding,
        )
    return finish(found, doctor.diagnosis, as_json=as_json, exit_code=found.exit_code)


def _requires_gpu(device: str) -> bool:
    if device not in DEVICES:
        raise UsageError("--device", expected="auto, cpu or gpu", found=printable(device))
    return device == "gpu"
