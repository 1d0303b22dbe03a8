"""The command ``demo``: a page to draw on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnist_tasks import config, dataset_info
from mnist_tasks.cli.check import CheckedDataset, ContractFile, RequireIsolation
from mnist_tasks.cli.common import AsJson, DataDir, Quiet, Runs, is_given
from mnist_tasks.cli.output import Outcome, finish, open_in_browser, print_line
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError

if TYPE_CHECKING:
    from mnist_tasks.data.datasets import Dataset
    from mnist_tasks.data.store import LabeledImages

OTHER_OUTPUT = "Name another file with --output."


def demo(
    context: typer.Context,
    model: Annotated[
        Path, typer.Option("--model", help="Model file.", readable=False)
    ] = config.LATEST_MODEL,
    # Not `output`, which a project sets to its model.
    page: Annotated[Path, typer.Option("--output", "-o", help="HTML page to write.")] = Path(
        "demo.html"
    ),
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    contract: ContractFile = None,
    runs: Runs = config.RUNS_FOLDER,
    dataset: CheckedDataset = dataset_info.MNIST.name,
    data_dir: DataDir = None,
    require_isolation: RequireIsolation = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Write a web page to draw digits on; the model inside it classifies them, offline.

    The page is one file. Test images come from the cache, if the data set is there.
    """
    from mnist_tasks import console, disk
    from mnist_tasks.checking import contract_file, model_dataset
    from mnist_tasks.cli.documents import DemoPage
    from mnist_tasks.demo.build import build
    from mnist_tasks.reporting import files

    loaded = contract_file.load(contract)
    files.require_outputs({"--output": page}, [model, *loaded.files])
    disk.require_writable(page.parent, remedy=OTHER_OUTPUT)
    named = dataset if is_given(context, "dataset") else None
    known = model_dataset.choose(model, runs, named=named, default=dataset)
    images = _test_images(known, data_dir)
    built = build(model, known.info, images, loaded.contract, require_isolation=require_isolation)
    content = built.html.encode()
    with disk.writable(page.parent, remedy=OTHER_OUTPUT):
        disk.write(page, content)
    if not as_json:
        print_line(f"page: {page} ({len(content) / 1000:,.0f} kB)")
    if built.better_pixels:
        console.note(f"{built.better_pixels}: set that in the contract, and rerun")
    if open_page:
        open_in_browser(page)
    document = DemoPage(
        path=str(page),
        bytes=len(content),
        model=built.model,
        dataset=built.dataset,
        draws=built.draws,
        images=None if images is None else len(images.labels),
        wrong=built.wrong,
        better_pixels=built.better_pixels,
    )
    return finish(document, None, as_json=as_json)


def _test_images(known: Dataset, data_dir: Path | None) -> LabeledImages | None:
    """Return the test images, if they are in the cache."""
    from mnist_tasks import console
    from mnist_tasks.data import store

    try:
        return store.load(store.folder_of(known, data_dir), "test", known)
    except (InputRefusedError, EnvironmentProblemError) as error:
        console.note(f"The page has no test images: {error.subject}: {error.found}")
        return None
