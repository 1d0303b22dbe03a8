"""The command ``predict``: the classes of the user's own pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks import config, dataset_info
from mnist_tasks.cli import completion
from mnist_tasks.cli.check import ContractFile, RequireIsolation
from mnist_tasks.cli.common import AsJson, Quiet, Runs, is_given
from mnist_tasks.cli.output import Outcome, finish, print_error, print_line, print_tables


def predict(
    context: typer.Context,
    names: Annotated[
        list[Path],
        # What can't be read is refused with the others, so typer must not look first.
        typer.Argument(
            help="Pictures (PNG, JPEG, WebP, GIF or BMP), folders of pictures, or - for a picture "
            "on standard input.",
            metavar="PICTURE",
            readable=False,
        ),
    ],
    model: Annotated[Path, typer.Option(help="Model file.", readable=False)] = config.LATEST_MODEL,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Treat pictures as images of the data set, such as bright digits on black: change "
            "only their size.",
        ),
    ] = False,
    html: Annotated[Path | None, typer.Option(help="HTML page of all pictures to write.")] = None,
    contract: ContractFile = None,
    runs: Runs = config.RUNS_FOLDER,
    dataset: Annotated[
        str,
        typer.Option(
            "--dataset",
            envvar="MNIST_TASKS_DATASET",
            autocompletion=completion.datasets,
            help="Data set whose classes the model predicts \\[default: that of the model's run, "
            "or else mnist]",
            show_default=False,
        ),
    ] = dataset_info.MNIST.name,
    require_isolation: RequireIsolation = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Predict the digit in each picture, and show what the model saw.

    Exits with 3 if a picture is unreadable or blank, or shows several digits; the others are
    predicted.
    """
    from mnist_tasks import api, console, disk
    from mnist_tasks.checking import contract_file
    from mnist_tasks.cli.documents import PicturePrediction, PicturePredictions
    from mnist_tasks.predicting import picture_paths
    from mnist_tasks.reporting import files
    from mnist_tasks.reporting.terminal import predictions

    loaded = contract_file.load(contract)
    predictor = api.predictor(
        model,
        raw=raw,
        contract=loaded.contract,
        runs_dir=runs,
        dataset=dataset if is_given(context, "dataset") else None,
        default=dataset,
        require_isolation=require_isolation,
    )
    paths = picture_paths.expand(names)
    files.require_outputs({"--html": html}, [*paths, model, *loaded.files])
    if html is not None:  # it would take the predictions with it
        disk.require_output(html, remedy="Name another file with --html.")
    found = predictor.predict_files(paths, thumbnails=html is not None)
    errors = [each.error for each in found if each.error]
    if not as_json:
        for error in errors:
            print_error(error)
        if len(errors) < len(found):
            terminal = console.results()
            width = terminal.width if terminal.file.isatty() else None
            print_tables(predictions.predicted(predictor, found, width=width))
    if html is not None:
        files.write_predictions(predictor, found, html)
        if not as_json:
            print_line(f"page: {html}")
    document = PicturePredictions(
        model=str(model),
        dataset=predictor.info.name,
        classes=predictor.info.classes,
        pictures=tuple(map(PicturePrediction.of, found)),
    )
    worst = max((error.exit_code for error in errors), default=0)
    return finish(document, None, as_json=as_json, exit_code=worst)
