"""The command ``sweep``."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from mnist_tasks import config
from mnist_tasks.cli.common import (
    AsJson,
    DataDir,
    MirrorUrl,
    Offline,
    load_digits,
    print_json,
    print_tables,
)
from mnist_tasks.errors import UsageError, printable

if TYPE_CHECKING:
    from mnist_tasks.sweeping.plan import Plan
    from mnist_tasks.sweeping.sweep import Engine

LOCAL, RAY = "local", "ray"
RAY_ADDRESS = r"ray://[^/\s]+:\d{1,5}"


def sweep(
    plan: Annotated[
        Path | None,
        typer.Argument(
            help="TOML file with the plan; without one the options say it.", metavar="PLAN"
        ),
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="Recipe to run, `default` by default; may be repeated."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Such as 0-9 or 0,3,7-9; 0-4 by default.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Values of a setting, such as learning_rate=0.2,0.4; may be repeated, and every "
            "combination is run.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Train on the first N images only.")] = None,
    test: Annotated[
        bool,
        typer.Option(
            "--test",
            help="Train on all training images and judge by the test images, instead of holding "
            "out the last 10,000 training images.",
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Runs at once; by default as many as cores and memory allow."),
    ] = None,
    threads: Annotated[int, typer.Option(help="Of each run.")] = 1,
    device: Annotated[str, typer.Option(help="Of each run: cpu or gpu.")] = "cpu",
    on: Annotated[
        str,
        typer.Option(
            help="local: processes on this machine; ray: the Ray cluster that runs here, or a new "
            "one; ray://host:port: that cluster. Ray needs the extra `cluster`."
        ),
    ] = LOCAL,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder of the sweep's records; sweeps/NAME by default, where "
            "NAME follows from the plan.",
        ),
    ] = None,
    data_dir: DataDir = None,
    mirror: MirrorUrl = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Train many settings with many seeds, and rank them; begun again, it goes on where it was."""
    from mnist_tasks.reporting.terminal import sweep
    from mnist_tasks.reporting.terminal.sweep_progress import SweepProgress
    from mnist_tasks.sweeping import sweep as sweeping

    planned = _plan(
        plan,
        recipes=recipe,
        seeds=seeds,
        settings=settings,
        limit=limit,
        test=test,
        threads=threads,
        device=device,
    )
    engine = _engine(on, planned, data_dir, workers)
    for split in ("train", "test") if test else ("train",):
        load_digits(split, data_dir, mirror=mirror, offline=offline)
    folder = output or config.SWEEPS_FOLDER / planned.name
    with SweepProgress() as progress:
        result = sweeping.run(planned, folder, engine, progress=progress)
    if as_json:
        print_json(result)
    else:
        print_tables(sweep.swept(result))
    raise typer.Exit(result.exit_code)


def _plan(
    path: Path | None,
    *,
    recipes: list[str] | None,
    seeds: str | None,
    settings: list[str] | None,
    limit: int | None,
    test: bool,
    threads: int,
    device: str,
) -> Plan:
    from mnist_tasks.sweeping import plan, plan_file, search_space
    from mnist_tasks.training.settings import parse_many

    base = plan.Plan(evaluated_on="test" if test else "validation", device=device, threads=threads)
    if path is None:
        return replace(
            base,
            settings=search_space.every(recipes or ["default"], parse_many(tuple(settings or ()))),
            seeds=search_space.seeds("0-4" if seeds is None else seeds),
            limit=limit,
        )
    given = {"--recipe": recipes, "--seeds": seeds, "--set": settings, "--limit": limit}
    for option, value in given.items():
        if value is not None:
            raise UsageError(
                option,
                expected=f"it in {printable(str(path))}, which says what is run",
                found="it beside the file",
            )
    return plan_file.load(path, base)


def _engine(on: str, planned: Plan, data_dir: Path | None, workers: int | None) -> Engine:
    from mnist_tasks.data import store
    from mnist_tasks.sweeping import job, local_executor

    load = partial(job.load, data_dir or store.default_folder(), planned.evaluated_on)
    if on == LOCAL:
        local_executor.require(planned.device)
        at_once = workers or local_executor.most_workers(
            threads=planned.threads, device=planned.device
        )
        return lambda jobs, folder: local_executor.run(
            jobs, load=load, workers=at_once, folder=folder
        )
    if on == RAY or re.fullmatch(RAY_ADDRESS, on):
        from mnist_tasks.sweeping import ray_executor

        address = None if on == RAY else on
        return lambda jobs, _: ray_executor.run(jobs, load=load, address=address, most=workers)
    raise UsageError("--on", expected=f"{LOCAL}, {RAY} or ray://host:port", found=printable(on))
