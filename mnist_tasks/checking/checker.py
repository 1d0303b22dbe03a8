"""Check model files: vet and run each in the sandbox, and evaluate it against the contract."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import records
from mnist_tasks.check_records import Check
from mnist_tasks.checking import baselines, clauses, metrics, parallel, perturbations, results
from mnist_tasks.checking.clauses import TEST_IMAGES, Measurements
from mnist_tasks.checking.contract import Contract
from mnist_tasks.checking.parallel import Progress
from mnist_tasks.checking.results import CheckResult
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.environment import machine
from mnist_tasks.errors import MnistTasksError, UsageError
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.image_input import InputFormat
from mnist_tasks.vetting.inspection import Inspection
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.protocol import Planting

Item = TypeVar("Item")
Result = TypeVar("Result")
Probabilities = NDArray[np.float32]
LATENCY_RUNS = 200


@dataclass(frozen=True, kw_only=True)
class Checker:
    """A contract, and the test images for its clauses.

    Raises
    ------
    UsageError
        The images can't be brought to the contract's input shape.

    Attributes
    ----------
    source
        The file that the contract was read from, for the record of a check.
    require_isolation
        As in `vetting.limits.Limits`.
    """

    contract: Contract
    data: LabeledImages
    source: str | None = None
    require_isolation: bool = False

    def __post_init__(self) -> None:
        try:
            _ = self.input_format
        except UsageError as error:  # of the contract, and not of each model
            raise error.about(f"{self.source or 'contract'}: {error.subject}") from error

    @cached_property
    def input_format(self) -> InputFormat:
        """How a model gets the images."""
        return self.contract.input_format(self.data.info)

    @cached_property
    def image_sets(self) -> dict[str, NDArray[np.uint8]]:
        """The test images, unchanged and with each perturbation of the contract."""
        images, perturbed = self.data.images, self.contract.perturbed
        sets = {TEST_IMAGES: images}
        for name, each in perturbed.by_name.items() if perturbed else ():
            sets[name] = perturbations.perturb(images, each)
        return sets

    @cached_property
    def limits(self) -> Limits:
        """The sandbox's limits, raised where the contract allows more, and for large images."""
        return self.contract.limits(self.data.info, require_isolation=self.require_isolation)

    @cached_property
    def baseline(self) -> Probabilities | None:
        """The baseline's predictions for the test images: (n, classes) float32 in [0, 1]."""
        baseline = self.contract.baseline
        if baseline is None:
            return None
        return baselines.predict(baseline, self.data, self.limits, self.input_format)

    def check_each(
        self, paths: Sequence[Path], *, progress: Progress = parallel.silent
    ) -> Generator[tuple[CheckResult, Probabilities | None]]:
        """Check model files, several at once, and yield each result with its predictions, in order.

        An error is the result of its file; one about the baseline is the result of every file.

        Parameters
        ----------
        progress
            Called with the number of files that are done and their total.
        """
        try:
            _ = self.baseline
        except MnistTasksError as error:
            yield from ((results.of_error(str(path), error), None) for path in paths)
            return

        def check(path: Path) -> tuple[CheckResult, Probabilities | None]:
            try:
                found, probabilities = self.check(path)
            except MnistTasksError as error:
                return results.of_error(str(path), error), None
            return results.of_check(found), probabilities

        yield from self.in_order(check, paths, progress=progress)

    def in_order(
        self, check: Callable[[Item], Result], items: Sequence[Item], *, progress: Progress
    ) -> Generator[Result]:
        """Call a function that uses `check` for each item, and yield the results in order.

        As many calls run at once as fit into the free cores and memory; just one if the contract
        bounds the latency, which can't be measured while other models run.

        Parameters
        ----------
        progress
            Called with the number of items that are done and their total.

        Raises
        ------
        MnistTasksError
            The baseline can't be used.
        """
        _ = self.baseline, self.image_sets  # computed once, before the threads need them
        workers = 1 if self.contract.latency_below_ms is not None else machine.max_processes()
        return parallel.in_order(check, items, workers=workers, progress=progress)

    def check(self, path: Path) -> tuple[Check, Probabilities | None]:
        """Check one model file.

        Returns
        -------
        check
        probabilities : (n, classes) float32 in [0, 1]
            The model's predictions for the test images; ``None`` if there are none.

        Raises
        ------
        InputRefusedError
            The file, or the baseline's, is missing, corrupt, unsupported or unsafe.
        EnvironmentProblemError
            TensorFlow is missing, or a model exceeded its time or memory.
        """
        check, probabilities = self.check_all_sets(path)
        return check, probabilities.get(TEST_IMAGES)

    def check_all_sets(self, path: Path) -> tuple[Check, Mapping[str, Probabilities]]:
        """Check one model file, and return its predictions for each of `image_sets`."""
        _ = self.baseline  # computed once, outside of the measured time
        start = time.perf_counter()
        inspection = self.inspect(path)
        measured = self.measure(inspection)
        check = Check(
            model=inspection.model_file(path),
            layers=inspection.layers,
            trainable_parameters=inspection.trainable_parameters,
            non_trainable_parameters=inspection.non_trainable_parameters,
            verdict=clauses.evaluate(self.contract, measured, self.data.info),
            metrics=measured.metrics.get(TEST_IMAGES),
            seconds=round(time.perf_counter() - start, 3),
            created=records.now(),
            contract=self.source,
            protections=inspection.protections,
            keras=inspection.keras,
            keras_version=inspection.keras_version,
            dataset=self.data.info,
            test_images=next(iter(self.data.sha256.values()), None),
        )
        return check, inspection.probabilities

    def inspect(self, path: Path, *, planting: Planting | None = None) -> Inspection:
        """Run a model in the sandbox on all images of the contract.

        Raises
        ------
        InputRefusedError, EnvironmentProblemError
            As `check`.
        """
        return sandbox.inspect(
            path,
            image_sets=self.image_sets,
            classes=len(self.data.info.classes),
            input_format=self.input_format,
            latency_runs=LATENCY_RUNS if self.contract.latency_below_ms is not None else 0,
            planting=planting,
            limits=self.limits,
        )

    def measure(self, inspection: Inspection) -> Measurements:
        """Compute what the clauses need from what a model predicted."""
        labels, predicted = self.data.labels, inspection.probabilities
        baseline = self.baseline
        found = {name: metrics.compute(each, labels) for name, each in predicted.items()}
        paired = None
        if baseline is not None and TEST_IMAGES in predicted:
            paired = metrics.paired_counts(predicted[TEST_IMAGES], baseline, labels)
        return Measurements(
            inspection=inspection,
            metrics=found,
            paired=paired,
            other_pixels=metrics.of_samples(inspection.other_pixels, labels),
        )
