"""The commands for model files: ``check`` and ``vet``."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnist_tasks import config, dataset_info
from mnist_tasks.cli import completion
from mnist_tasks.cli.common import (
    AsJson,
    DataDir,
    MirrorUrl,
    Offline,
    Quiet,
    Runs,
    is_given,
)
from mnist_tasks.cli.output import Outcome, finish, print_error, print_tables, warn_skipped
from mnist_tasks.errors import Failure, MnistTasksError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mnist_tasks.checking.checker import Checker
    from mnist_tasks.checking.results import CheckResult, CheckResults

Models = Annotated[
    list[Path] | None,
    # What can't be read is refused like any other file, so typer must not look first.
    typer.Argument(
        help="Model files, folders of model files, or - for a list of both on standard input "
        "\\[default: model_latest.h5]",
        metavar="MODEL",
        readable=False,
    ),
]

RequireIsolation = Annotated[
    bool,
    typer.Option(
        "--require-isolation",
        help="Refuse to read a model file unless each essential protection is on (exit code 4).",
    ),
]
ContractFile = Annotated[
    Path | None,
    typer.Option(
        envvar="MNIST_TASKS_CONTRACT",
        help="TOML file with the contract \\[default: \\[tool.mnist-tasks.contract] of the nearest "
        "pyproject.toml, from the current folder upwards, if there is one]",
        readable=False,
    ),
]
CheckedDataset = Annotated[
    str,
    typer.Option(
        "--dataset",
        envvar="MNIST_TASKS_DATASET",
        autocompletion=completion.datasets,
        help="Data set of the test images \\[default: that of the model's run, or else mnist]",
        show_default=False,
    ),
]


def check(
    context: typer.Context,
    models: Models = None,
    contract: ContractFile = None,
    junit: Annotated[Path | None, typer.Option(help="JUnit XML file to write.")] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(help="Markdown file to write; also appended to $GITHUB_STEP_SUMMARY, if set."),
    ] = None,
    runs: Runs = config.RUNS_FOLDER,
    dataset: CheckedDataset = dataset_info.MNIST.name,
    data_dir: DataDir = None,
    mirror: MirrorUrl = None,
    offline: Offline = False,
    require_isolation: RequireIsolation = False,
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test",
            help="Also plant known faults in each model that passes; exit with 1 if the contract "
            "misses one that it must fail.",
        ),
    ] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Check models against the contract, several at once.

    Prints a verdict for each, and a table of all; exits with the highest exit code.
    """
    from mnist_tasks import api, check_store, run_store
    from mnist_tasks.checking import contract_file, model_dataset, results
    from mnist_tasks.checking.checker import Checker
    from mnist_tasks.cli import model_paths
    from mnist_tasks.data import datasets
    from mnist_tasks.data.loading import DataConfig
    from mnist_tasks.reporting import files
    from mnist_tasks.reporting.terminal.progress import CheckProgress

    loaded = contract_file.load(contract)
    paths = model_paths.expand(models or [config.LATEST_MODEL])
    outputs = {"--junit": junit, "--markdown": markdown}
    files.require_outputs(outputs, [*paths, *loaded.files])
    stored = run_store.list_runs(runs)
    of_runs = None if is_given(context, "dataset") else model_dataset.find(paths, stored)
    known = of_runs or datasets.find(dataset)
    data = DataConfig(folder=data_dir, mirror=mirror, offline=offline, dataset=known)
    images = api.load_data("test", data=data, progress=True)
    checker = Checker(
        contract=loaded.contract,
        data=images,
        source=loaded.source,
        require_isolation=require_isolation,
    )
    found = []
    problems: list[MnistTasksError] = []
    skipped: dict[str, None] = {}  # in order
    with (
        CheckProgress(len(paths)) as progress,
        closing(checker.check_each(paths, progress=progress.show)) as checks,
    ):
        for result, probabilities in checks:
            found.append(result)
            with progress.paused():
                if result.check is not None:
                    with _after_the_verdict(problems):
                        check_store.attach(
                            result.check,
                            runs,
                            probabilities,
                            stored=stored,
                            on_skipped=skipped.setdefault,
                        )
                if not as_json:
                    _print_check(result)
    for number, result in enumerate(found if self_test else []):
        with _after_the_verdict(problems):
            found[number] = _with_self_test(checker, result, as_json=as_json)
    gathered = results.gather(found, loaded.source)
    if len(found) > 1 and not as_json:
        _print_summary(gathered)
    for written in ({"junit": junit}, {"markdown": markdown}):  # one may fail
        with _after_the_verdict(problems):
            files.write_check(gathered, **written)
    warn_skipped(skipped)
    gathered = replace(gathered, problems=tuple(map(Failure.of, problems)))
    worst = max(gathered.exit_code, *(each.exit_code for each in problems), 0)
    return finish(gathered, None, as_json=as_json, exit_code=worst)


def vet(
    models: Models = None,
    contract: ContractFile = None,
    require_isolation: RequireIsolation = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Check whether model files can run code when Keras opens them, without loading them.

    Of the contract, only bytes_below and parameters_below count: they raise the limits on a file.
    """
    from mnist_tasks.checking import contract_file
    from mnist_tasks.cli import model_paths
    from mnist_tasks.cli.documents import VetResult, VetResults
    from mnist_tasks.reporting.terminal import results
    from mnist_tasks.vetting import sandbox

    limits = contract_file.load(contract).contract.limits(require_isolation=require_isolation)
    found: list[VetResult] = []
    for path in model_paths.expand(models or [config.LATEST_MODEL]):
        try:
            vetted = sandbox.vet(path, limits=limits)
        except MnistTasksError as error:
            failure = Failure.of(error)
            found.append(VetResult(path=str(path), exit_code=error.exit_code, error=failure))
            if not as_json:
                print_error(error)
        else:
            found.append(VetResult(path=str(path), exit_code=0, vetted=vetted))
            if not as_json:
                print_tables(results.vetted(str(path), vetted))
    worst = max((each.exit_code for each in found), default=0)
    if len(found) > 1 and not as_json:
        table = results.all_vetted([(each.path, each.error) for each in found])
        print_tables(table, failed=worst != 0)
    return finish(VetResults(models=tuple(found)), None, as_json=as_json, exit_code=worst)


@contextmanager
def _after_the_verdict(problems: list[MnistTasksError]) -> Iterator[None]:
    """Print an error in writing a file, and keep it; the verdicts are still printed."""
    try:
        yield
    except MnistTasksError as error:
        print_error(error)
        problems.append(error)


def _with_self_test(checker: Checker, result: CheckResult, *, as_json: bool) -> CheckResult:
    """Test the contract with a model that passed it."""
    from mnist_tasks import console
    from mnist_tasks.checking import results, self_test

    if result.check is None or result.exit_code:
        console.note(f"no self-test with {result.path}: it does not pass the contract itself")
        return result
    tested = self_test.run(checker, Path(result.path), sha256=result.check.model.sha256)
    if not as_json:
        from mnist_tasks.reporting.terminal import self_test as tables

        print_tables(tables.self_tested(tested, result.path), failed=not tested.passed)
    return results.with_self_test(result, tested)


def _print_check(result: CheckResult) -> None:
    if result.check is not None:
        from mnist_tasks.reporting.terminal import results

        print_tables(results.checked(result.check), failed=result.exit_code != 0)
    if result.error is not None:
        print_error(result.error)


def _print_summary(gathered: CheckResults) -> None:
    from mnist_tasks.reporting.terminal import results

    print_tables(results.summary(gathered), failed=gathered.exit_code != 0)
