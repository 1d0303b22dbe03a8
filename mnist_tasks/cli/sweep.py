"""The command ``sweep``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    is_given,
)
from mnist_tasks.cli.output import Outcome, finish, warn_skipped
from mnist_tasks.errors import UsageError, printable

if TYPE_CHECKING:
    from mnist_tasks.data.loading import DataConfig
    from mnist_tasks.sweeping.plan import Plan
    from mnist_tasks.sweeping.sweep import Executor

LOCAL, RAY = "local", "ray"
RAY_ADDRESS = re.compile(r"ray://[^/\s]+:\d{1,5}")


def sweep(
    context: typer.Context,
    plan: Annotated[
        Path | None,
        typer.Argument(
            help="TOML file with the plan, instead of --recipe, --network, --seeds, --set and "
            "--limit.",
            metavar="PLAN",
            readable=False,
        ),
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=completion.recipes,
            help="Recipe to train, as in `train`; repeatable \\[default: default]",
        ),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            help="Your own network, as in `train`; repeatable. This runs your code.",
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Random seeds, such as 0-9 or 0,3,7-9 \\[default: 0-4]")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Values of a setting, such as learning_rate=0.2,0.4; repeatable. Trains every "
            "combination.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Train on the first N images only.")] = None,
    test: Annotated[
        bool,
        typer.Option(
            "--test",
            help="Train on all training images and evaluate on the test images, instead of "
            "evaluating on the validation images (the last sixth of the training images).",
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of runs at once \\[default: as many as cores and memory allow]"
        ),
    ] = None,
    threads: Annotated[int, typer.Option(help="TensorFlow threads of each run.")] = 1,
    device: Annotated[
        str,
        typer.Option(
            autocompletion=completion.one_of("cpu", "gpu"), help="Device of each run: cpu or gpu."
        ),
    ] = "cpu",
    on: Annotated[
        str,
        typer.Option(
            help="Where to run: local (processes on this machine), ray (the Ray cluster of this "
            "machine, or a new one) or ray://host:port. Ray requires the extra `cluster`."
        ),
    ] = LOCAL,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for the sweep's records \\[default: sweeps/NAME, derived from the plan]",
        ),
    ] = None,
    runs: Annotated[
        Path,
        typer.Option(
            envvar="MNIST_TASKS_RUNS",
            help="Folder of runs whose ledger counts the models that --test evaluates.",
        ),
    ] = config.RUNS_FOLDER,
    dataset: DatasetName = dataset_info.MNIST.name,
    data_dir: DataDir = None,
    mirror: MirrorUrl = None,
    offline: Offline = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Train many settings with many seeds, and rank them. Rerun a sweep to resume it."""
    from mnist_tasks import console, project
    from mnist_tasks.data import datasets, loading
    from mnist_tasks.reporting.terminal import sweep as tables
    from mnist_tasks.reporting.terminal.progress import DownloadProgress
    from mnist_tasks.reporting.terminal.sweep_progress import SweepProgress
    from mnist_tasks.sweeping import plan_file, search_space
    from mnist_tasks.sweeping import sweep as sweeping
    from mnist_tasks.sweeping.plan import Plan
    from mnist_tasks.training import network_file, own_recipes
    from mnist_tasks.training.settings import parse_many

    networks = [each or None for each in network or [""]]  # an empty one is none
    known = datasets.find(dataset)
    base = Plan(
        settings=search_space.grid(recipe or ["default"], {}, networks),
        evaluated_on="test" if test else "validation",
        device=device,
        threads=threads,
        dataset=known,
        recipes=own_recipes.of_project(project.find()),
    )
    if plan is None:
        planned = replace(
            base,
            settings=search_space.grid(
                recipe or ["default"], parse_many(tuple(settings or ())), networks
            ),
            seeds=search_space.parse_seeds("0-4" if seeds is None else seeds),
            limit=limit,
        )
        planned.require_images()
    else:
        named = recipe if is_given(context, "recipe") else None
        options = {
            "--recipe": named,
            "--network": network if is_given(context, "network") else None,
            "--seeds": seeds,
            "--set": settings,
            "--limit": limit,
        }
        _refuse_beside(plan, options)
        planned = plan_file.load(plan, base)
    data = loading.DataConfig(folder=data_dir, mirror=mirror, offline=offline, dataset=known)
    executor = _executor(on, planned, data, workers)
    loading.load("train", data, progress=DownloadProgress())
    if test:
        loading.load("test", data, progress=DownloadProgress())
    for each in planned.networks.values():
        console.note(network_file.note(each))
    folder = output or config.SWEEPS_FOLDER / planned.name
    skipped: dict[str, None] = {}
    try:
        with SweepProgress() as progress:
            result = sweeping.run(
                planned,
                folder,
                executor,
                progress=progress,
                runs=runs,
                on_skipped=skipped.setdefault,
            )
    finally:
        warn_skipped(skipped)
    return finish(result, tables.sweep_result, as_json=as_json, exit_code=result.exit_code)


def _refuse_beside(plan_file: Path, options: Mapping[str, object]) -> None:
    for option, value in options.items():
        if value is not None:
            raise UsageError(
                option,
                expected=f"this setting in {printable(str(plan_file))}",
                found="an option in addition to the plan file",
            )


def _executor(on: str, plan: Plan, data: DataConfig, workers: int | None) -> Executor:
    from mnist_tasks.sweeping import job, local_executor

    load = partial(job.load_images, data, plan.evaluated_on)
    if on == LOCAL:
        local_executor.require_device(plan.device)
        workers = workers or local_executor.max_processes(threads=plan.threads, device=plan.device)
        return lambda jobs, folder: local_executor.run(
            jobs, load=load, workers=workers, folder=folder
        )
    if on == RAY or RAY_ADDRESS.fullmatch(on):
        from mnist_tasks.sweeping import ray_executor

        address = None if on == RAY else on
        return lambda jobs, _: ray_executor.run(jobs, load=load, address=address, workers=workers)
    raise UsageError("--on", expected=f"{LOCAL}, {RAY} or ray://host:port", found=printable(on))
