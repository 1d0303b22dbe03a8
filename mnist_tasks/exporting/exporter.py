"""Export a model: vet and run it, convert it, run what was made, compare, and only then keep it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mnist_tasks import disk, temporary
from mnist_tasks.checking import clauses, metrics
from mnist_tasks.checking.checker import Checker
from mnist_tasks.checking.clauses import TEST_IMAGES
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.exporting import comparison, destination, formats, protocol
from mnist_tasks.exporting.comparison import Comparison
from mnist_tasks.exporting.conversion import Conversion
from mnist_tasks.exporting.formats import Format
from mnist_tasks.exporting.results import Export, ExportInput, ExportOutput
from mnist_tasks.vetting import read_file, sandbox
from mnist_tasks.vetting.inspection import Inspection

STEPS = 3


def export(
    path: Path,
    *,
    chosen: Format,
    output: Path,
    checker: Checker,
    progress: Callable[[int, int], object],
) -> Export:
    """Export a model file.

    Parameters
    ----------
    checker
        The test images, and how the model gets them.
    progress
        Called with the number of steps that are done and their total.

    Raises
    ------
    UsageError
        The output is something that must not be replaced.
    InputRefusedError
        The file is missing, corrupt, unsupported or unsafe; it can't be converted, or what was made
        predicts otherwise.
    EnvironmentProblemError
        A library is missing, a process ran out of time or memory, or the disk is full.
    """
    started = time.perf_counter()
    is_folder = chosen == "saved-model"
    inputs = [path] if checker.source is None else [path, Path(checker.source)]
    destination.require(output, inputs=inputs, is_folder=is_folder)
    progress(0, STEPS)
    inspection = _inspect(path, checker)
    content = read_file.read_model_file(path, limits=checker.limits)
    if content.sha256 != inspection.sha256:
        raise InputRefusedError(str(path), found="it has changed since it was vetted")
    progress(1, STEPS)
    with temporary.folder() as folder:
        with temporary.usable():
            (folder / f"{protocol.MODEL}.{content.file_format}").write_bytes(content.data)
        given = _input(inspection, checker)
        work = Conversion(
            path=path,
            chosen=chosen,
            given=given,
            inspection=inspection,
            checker=checker,
            folder=folder,
        )
        made = work.convert()
        progress(2, STEPS)
        ran, compared = work.run(made)
        progress(3, STEPS)
        if not compared.agrees:
            raise _differs(path, chosen, compared)
        artifact = folder / protocol.ARTIFACT
        sha256 = None if is_folder else disk.sha256(artifact)
        size = disk.size(artifact) if is_folder else artifact.stat().st_size
        if is_folder:
            destination.write_folder(artifact, output)
        else:
            destination.write_file(artifact.read_bytes(), output)
    labels = checker.data.labels
    accuracy = metrics.compute(inspection.probabilities[TEST_IMAGES], labels).accuracy
    return Export(
        model=inspection.model_file(path),
        format=chosen,
        path=str(output),
        bytes=size,
        sha256=sha256,
        input=replace(given, shape=(made.batch, *given.shape[1:])),
        output=ExportOutput(name=made.output, classes=checker.data.info.classes),
        dataset=checker.data.info,
        images=compared.images,
        largest_difference=compared.largest_difference,
        accuracy=accuracy,
        better_pixels=clauses.better_pixels(
            accuracy, metrics.of_samples(inspection.other_pixels, labels)
        ),
        latency_ms=1000 * statistics.median(ran.latency),
        keras_latency_ms=1000 * statistics.median(made.latency),
        keras=inspection.keras,
        versions=made.versions | ran.versions,
        seconds=round(time.perf_counter() - started, 3),
    )


def _inspect(path: Path, checker: Checker) -> Inspection:
    inspection = sandbox.inspect(
        path,
        image_sets={TEST_IMAGES: checker.data.images},
        classes=len(checker.data.info.classes),
        input_format=checker.input_format,
        limits=checker.limits,
    )
    if inspection.no_predictions_reason is not None:
        raise InputRefusedError(
            str(path),
            expected="a model that can be run on the test images",
            found=inspection.no_predictions_reason,
            remedy="Describe its input in the contract, or name its data set with --dataset.",
            reason="model-unsupported",
        )
    return inspection


def _input(inspection: Inspection, checker: Checker) -> ExportInput:
    pixels = checker.input_format.pixels
    return ExportInput(
        shape=inspection.input_shapes[0], divisor=pixels.divisor, offset=pixels.offset
    )


def _differs(path: Path, chosen: Format, compared: Comparison) -> InputRefusedError:
    title = formats.KINDS[chosen].title
    return InputRefusedError(
        str(path),
        expected=f"{title} that predicts as Keras does: the same class for each image, and "
        f"probabilities within {comparison.TOLERANCE:g}",
        found=f"{compared.words()}. Nothing was kept.",
        remedy="Export it to another --format.",
        reason="export-differs",
    )
