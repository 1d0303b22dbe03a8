"""Convert a model that was vetted, run the result on the test images, and compare."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import temporary
from mnist_tasks.checking.checker import Checker
from mnist_tasks.checking.clauses import TEST_IMAGES
from mnist_tasks.exporting import comparison, process, protocol
from mnist_tasks.exporting.comparison import Comparison
from mnist_tasks.exporting.formats import Format
from mnist_tasks.exporting.results import ExportInput
from mnist_tasks.vetting import image_input, limits
from mnist_tasks.vetting.execution import inference
from mnist_tasks.vetting.inspection import Inspection

LATENCY_RUNS = 200
_BATCH_SIZE, _MOST_NUMBERS = 500, 50_000_000
# A process may take this many times longer than the sandbox, which loads and runs the model, too.
_TIMES_LONGER = 2


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """The conversion of a model.

    Attributes
    ----------
    path
        The model's, for errors.
    given
        What the exported model takes.
    inspection
        What the sandbox found.
    folder
        Where the processes work; it has the model.
    """

    path: Path
    chosen: Format
    given: ExportInput
    inspection: Inspection
    checker: Checker
    folder: Path

    def convert(self) -> protocol.Converted:
        """Convert the model to `protocol.ARTIFACT` in the folder, in a new process.

        Raises
        ------
        InputRefusedError
            It can't be converted.
        EnvironmentProblemError
            As `process.run`; or there is no room in the folder.
        """
        images, form = self.checker.data.images, self.checker.input_format
        shape = self.given.shape[1:]
        arranged = image_input.arrange(images, shape, pixels=form.pixels, fit=form.fit)
        saved = io.BytesIO()  # NumPy doesn't say why it can't write to a file
        np.save(saved, arranged, allow_pickle=False)
        with temporary.usable():
            (self.folder / protocol.INPUTS).write_bytes(saved.getbuffer())
        request = protocol.Convert(
            format=self.chosen,
            file_format=self.inspection.format,
            sha256=self.inspection.sha256,
            image_shape=image_input.image_shape(images),
            input=self.given,
            classes=self.checker.data.info.classes,
            limits=self.checker.limits,
            latency_runs=self._latency_runs,
        )
        return process.run(
            "mnist_tasks.exporting.convert_main",
            request,
            protocol.Converted,
            folder=self.folder,
            name=str(self.path),
            seconds=self._seconds,
        )

    def run(self, made: protocol.Converted) -> tuple[protocol.Ran, Comparison]:
        """Run what was made on all test images, in a new process, and compare.

        Raises
        ------
        InputRefusedError
            It can't be run.
        EnvironmentProblemError
            As `process.run`.
        """
        request = protocol.Run(
            format=self.chosen,
            output=made.output,
            batch_size=made.batch or _batch_size(self.inspection),
            latency_runs=self._latency_runs,
        )
        ran = process.run(
            "mnist_tasks.exporting.run_main",
            request,
            protocol.Ran,
            folder=self.folder,
            name=str(self.path),
            seconds=self._seconds,
        )
        expected = self.inspection.probabilities[TEST_IMAGES]
        in_batches = comparison.compare(expected, self._probabilities(protocol.OUTPUTS))
        first = expected[: self._latency_runs]
        alone = comparison.compare(first, self._probabilities(protocol.ALONE))
        return ran, in_batches if alone.agrees else alone

    @property
    def _latency_runs(self) -> int:
        return min(LATENCY_RUNS, len(self.checker.data.images))

    @property
    def _seconds(self) -> float:
        share = limits.share_of_images(len(self.checker.data.images))
        return _TIMES_LONGER * self.checker.limits.wall_seconds * share

    def _probabilities(self, file: str) -> NDArray[np.float64]:
        outputs = np.load(self.folder / file, allow_pickle=False).astype(np.float64)
        with np.errstate(invalid="ignore"):  # of what is no finite number, `compare` says so
            return inference.probabilities(outputs)


def _batch_size(inspection: Inspection) -> int:
    """Return how many images to predict at once: the outputs of all layers must fit in memory."""
    numbers = sum(math.prod(size or 1 for size in each.output_shape) for each in inspection.layers)
    return max(1, min(_BATCH_SIZE, _MOST_NUMBERS // max(1, numbers)))
