"""The commands on model files: ``check`` holds them to the contract, ``vet`` only looks."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnist_tasks import config
from mnist_tasks.cli.common import (
    AsJson,
    DataDir,
    MirrorUrl,
    Offline,
    Runs,
    load_digits,
    print_json,
    show,
    show_error,
)
from mnist_tasks.errors import MnistTasksError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mnist_tasks.checking.results import CheckResult

Models = Annotated[
    list[Path] | None,
    typer.Argument(help="Model files; model_latest.h5 by default.", metavar="[MODEL]..."),
]


def check(
    models: Models = None,
    contract: Annotated[
        Path | None,
        typer.Option(
            help="TOML file with the contract; by default the table \\[tool.mnist-tasks.contract] "
            "of ./pyproject.toml, where there is one.",
        ),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="JUnit XML file to write.")] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(help="Markdown file to write; added to $GITHUB_STEP_SUMMARY where it is set."),
    ] = None,
    runs: Runs = config.RUNS_FOLDER,
    data_dir: DataDir = None,
    mirror: MirrorUrl = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Hold models against the contract: one verdict each, and the worst exit code of all."""
    from mnist_tasks import run_store
    from mnist_tasks.checking import contract_file, results
    from mnist_tasks.checking.checker import Checker
    from mnist_tasks.reporting import exports

    loaded = contract_file.load(contract)
    digits = load_digits("test", data_dir, mirror=mirror, offline=offline)
    checker = Checker(contract=loaded.contract, digits=digits, source=loaded.source)
    found = []
    codes: list[int] = []
    for result, probabilities in checker.check_each(models or [config.LATEST_MODEL]):
        found.append(result)
        if result.check is not None:
            with _verdict_first(codes):
                run_store.attach(result.check, runs, probabilities)
        if not as_json:
            _show_result(result)
    gathered = results.gather(found, loaded.source)
    if as_json:
        print_json(gathered)
    with _verdict_first(codes):
        exports.write(gathered, junit=junit, markdown=markdown)
    raise typer.Exit(max(gathered.exit_code, *codes, 0))


@contextmanager
def _verdict_first(codes: list[int]) -> Iterator[None]:
    """Note the exit code of what can't be written: the verdicts stand, and are all told."""
    try:
        yield
    except MnistTasksError as error:
        show_error(error, as_json=False)
        codes.append(error.exit_code)


def vet(models: Models = None, as_json: AsJson = False) -> None:
    """Look at model files without loading them, to tell whether Keras may open them safely."""
    from mnist_tasks.vetting import sandbox

    worst = 0
    results: list[object] = []
    for path in models or [config.LATEST_MODEL]:
        try:
            found = sandbox.vet(path)
        except MnistTasksError as error:
            worst = max(worst, error.exit_code)
            results.append({"path": str(path), "error": error.as_dict()})
            if not as_json:
                show_error(error, as_json=False)
        else:
            results.append({"path": str(path), "vetted": found})
            if not as_json:
                show("vetted", (str(path), found), as_json=False)
    if as_json:
        print_json({"schema": 1, "models": results})
    raise typer.Exit(worst)


def _show_result(result: CheckResult) -> None:
    if result.check is not None:
        show("checked", result.check, as_json=False)
    if result.error is not None:
        from mnist_tasks import console

        console.show_error(result.error)
