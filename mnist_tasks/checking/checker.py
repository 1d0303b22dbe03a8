"""The whole check: a model file looked at, asked for its predictions and held to the contract."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mnist_tasks import errors, records
from mnist_tasks.checking import baselines, clauses, metrics, perturbations
from mnist_tasks.checking.clauses import TEST, Facts
from mnist_tasks.checking.results import CheckResult
from mnist_tasks.errors import Failure, MnistTasksError
from mnist_tasks.records import Check, ModelFile
from mnist_tasks.vetting import limits, sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from mnist_tasks.checking.contract_file import LoadedContract
    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.vetting.inspection import Inspection
    from mnist_tasks.vetting.limits import Limits

LATENCY_RUNS = 200


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What became of one model file.

    Attributes
    ----------
    probabilities : (n, 10) float32 in [0, 1]
        For the test images; ``None`` where the model could not be asked.
    """

    outcome: CheckResult
    probabilities: NDArray[np.float32] | None = None


def check_each(
    paths: Sequence[Path], digits: LabeledImages, terms: LoadedContract
) -> Iterator[Checked]:
    """Check one model file after the other: an error is the outcome of the file that it befell.

    An error of the baseline is the outcome of every file.

    Parameters
    ----------
    digits
        The test images and labels.
    """
    checker = Checker(terms=terms, digits=digits)
    for path in paths:
        try:
            yield checker.check(path)
        except MnistTasksError as error:
            yield Checked(outcome=_failed(path, error))


@dataclass(frozen=True, kw_only=True)
class Checker:
    """What every model is asked, and held against."""

    terms: LoadedContract
    digits: LabeledImages

    @cached_property
    def image_sets(self) -> dict[str, NDArray[np.uint8]]:
        """The test images as they are, and perturbed as the contract asks."""
        perturbed = self.terms.contract.perturbed
        images = self.digits.images
        return {TEST: images} | {
            name: perturbations.perturb(images, asked)
            for name, asked in (perturbed.asked if perturbed else {}).items()
        }

    @cached_property
    def limits(self) -> Limits:
        """The sandbox's limits, wider where the contract allows more."""
        contract, usual = self.terms.contract, limits.DEFAULT
        return replace(
            usual,
            file_bytes=max(usual.file_bytes, contract.bytes_below or 0),
            parameters=max(usual.parameters, contract.parameters_below),
        )

    @cached_property
    def baseline(self) -> NDArray[np.float32] | None:
        """The baseline's predictions for the test images: (n, 10)."""
        baseline = self.terms.contract.baseline
        return baselines.ask(baseline, self.digits, self.limits) if baseline else None

    def check(self, path: Path) -> Checked:
        """Check one model file.

        Raises
        ------
        InputRefusedError
            The file, or the baseline's, is missing, corrupt or unsafe.
        EnvironmentProblemError
            TensorFlow is missing, or a model ran out of its time or memory.
        """
        baseline = self.baseline  # asked once, before the clock runs
        begun = time.perf_counter()
        contract = self.terms.contract
        inspection = sandbox.inspect(
            path,
            image_sets=self.image_sets,
            latency_runs=LATENCY_RUNS if contract.latency_below_ms is not None else 0,
            limits=self.limits,
        )
        facts = self._facts(inspection, baseline)
        check = Check(
            model=ModelFile(
                path=_shown(path),
                bytes=inspection.bytes,
                sha256=inspection.sha256,
                parameters=inspection.parameters,
            ),
            layers=inspection.layers,
            trainable_parameters=inspection.trainable_parameters,
            non_trainable_parameters=inspection.non_trainable_parameters,
            verdict=clauses.evaluate(contract, facts),
            metrics=facts.metrics.get(TEST),
            seconds=round(time.perf_counter() - begun, 3),
            created=records.now(),
            contract=self.terms.source,
        )
        status = check.verdict.status
        code = 0 if status == "passed" else errors.CONTRACT_FAILED
        return Checked(
            outcome=CheckResult(path=check.model.path, status=status, exit_code=code, check=check),
            probabilities=inspection.probabilities.get(TEST),
        )

    def _facts(self, inspection: Inspection, baseline: NDArray[np.float32] | None) -> Facts:
        labels = self.digits.labels
        asked = inspection.probabilities
        paired = None
        if baseline is not None and TEST in asked:
            paired = metrics.paired_counts(asked[TEST], baseline, labels)
        return Facts(
            parameters=inspection.parameters,
            bytes=inspection.bytes,
            layers=tuple(layer.kind for layer in inspection.layers),
            input_shapes=inspection.input_shapes,
            output_shapes=inspection.output_shapes,
            metrics={name: metrics.compute(each, labels) for name, each in asked.items()},
            unpredicted=inspection.no_predictions_reason,
            latency=inspection.latency,
            paired=paired,
        )


def _failed(path: Path, error: MnistTasksError) -> CheckResult:
    return CheckResult(
        path=_shown(path),
        status="error",
        exit_code=error.exit_code,
        error=Failure.of(error),
    )


def _shown(path: Path) -> str:
    """Give a path as text that JSON can hold: a file name may be any bytes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
