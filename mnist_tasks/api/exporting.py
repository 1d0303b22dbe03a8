"""Export a model to another format."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import config, run_store
from mnist_tasks.api.checking import load_contract
from mnist_tasks.api.data import data_config, load_data
from mnist_tasks.data.loading import DataConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from mnist_tasks.api.data import AnyPath, Data
    from mnist_tasks.checking.contract import Contract
    from mnist_tasks.exporting.formats import Format
    from mnist_tasks.exporting.results import Export


def export(
    model: AnyPath = config.LATEST_MODEL,
    *,
    format: Format | None = None,  # noqa: A002 - the word of the command line
    output: AnyPath | None = None,
    contract: AnyPath | Contract | None = None,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    dataset: str | None = None,
    data: Data = None,
    require_isolation: bool = False,
    progress: bool = False,
) -> Export:
    """Export a model to ONNX, LiteRT or a SavedModel, and prove that it predicts the same.

    The model is vetted and run in the sandbox, converted in a new process, and run in another one
    on all test images. The result is kept only if every predicted class is the same and no
    probability differs by more than 1e-5.

    Parameters
    ----------
    model
        Model file in HDF5 or the ``.keras`` format, whatever its name.
    format
        ``onnx``, ``litert`` or ``saved-model``; by default that of the output's suffix,
        ``.onnx`` or ``.tflite``, or else ``onnx``.
    output
        The file, or the folder of a SavedModel; by default beside the model, with its name. A file
        is replaced; of folders only an empty one or one that was exported.
    contract
        As in `check`; it says how the model gets the images, and raises the limits of its file.
    runs_dir, dataset, data
        As in `check`: by default, the test images are those of the data set of the model's run.
    require_isolation
        As in `check`.
    progress
        Whether to show the progress on standard error.

    Raises
    ------
    UsageError
        There is no such format, or the output is something that must not be replaced.
    InputRefusedError
        The file is missing, corrupt, unsupported or unsafe; it can't be converted, or what was made
        predicts otherwise.
    EnvironmentProblemError
        A library is missing, a process ran out of time or memory, or the disk is full.
    """
    from mnist_tasks.checking import model_dataset
    from mnist_tasks.checking.checker import Checker
    from mnist_tasks.exporting import exporter, formats

    path = Path(model)
    chosen = formats.choose(format, None if output is None else Path(output))
    formats.require_libraries(chosen)
    loaded = load_contract(contract)
    source = data_config(data, dataset)
    if dataset is None and not isinstance(data, DataConfig):
        of_run = model_dataset.find([path], run_store.list_runs(Path(runs_dir)))
        source = replace(source, dataset=of_run or source.dataset)
    images = load_data("test", data=source, progress=progress)
    with ExitStack() as stack:
        show: Callable[[int, int], object] = _silent
        if progress:
            from mnist_tasks.reporting.terminal.progress import CountProgress

            show = stack.enter_context(CountProgress("exporting")).show
        return exporter.export(
            path,
            chosen=chosen,
            output=formats.default_output(path, chosen) if output is None else Path(output),
            checker=Checker(
                contract=loaded.contract,
                data=images,
                source=loaded.source,
                require_isolation=require_isolation,
            ),
            progress=show,
        )


def _silent(_done: int, _total: int) -> None:
    """Show no progress."""
