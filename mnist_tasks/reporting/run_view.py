"""Everything that a report of one run draws on, read once for the page, the tables and Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.reporting import summary

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.predicted_images import Answer, Answers, Bin
    from mnist_tasks.run_store import StoredRuns

EXAMPLES = 24
PREDICTIONS_NAME = "predictions.npz"  # as in `predictions`, which needs NumPy
CHECK_IT = "Run `mnist-tasks check` on the model of this run."


@dataclass(frozen=True, kw_only=True)
class View:
    """One run, what its model said of each test image, and all runs.

    Attributes
    ----------
    folder, data
        Of the run, and of the data files.
    """

    record: RunRecord
    folder: Path
    everything: StoredRuns
    data: Path

    @property
    def answers(self) -> Answers | None:
        """What the model said; ``None`` where there is none to show, as `unanswered` explains."""
        return None if isinstance(self._found, str) else self._found

    @property
    def unanswered(self) -> str:
        """Why there are no answers; empty where there are."""
        return self._found if isinstance(self._found, str) else ""

    @cached_property
    def mistakes(self) -> tuple[Answer, ...]:
        """The mistakes of which the model was the surest."""
        if self.answers is None:
            return ()
        from mnist_tasks.reporting import predicted_images

        return predicted_images.confident_mistakes(self.answers, EXAMPLES)

    @cached_property
    def unsure(self) -> tuple[Answer, ...]:
        """The true answers of which the model was the least sure."""
        if self.answers is None:
            return ()
        from mnist_tasks.reporting import predicted_images

        return predicted_images.unsure_hits(self.answers, EXAMPLES)

    @cached_property
    def calibration(self) -> tuple[Bin, ...]:
        """How sureness and accuracy agree."""
        if self.answers is None:
            return ()
        from mnist_tasks.reporting import predicted_images

        return predicted_images.calibration(self.answers)

    @cached_property
    def calibration_error(self) -> float | None:
        """How far sureness and accuracy lie apart on average, in [0, 1]; ``None``: not known."""
        metrics = summary.metrics(self.record)
        if metrics is not None and metrics.calibration_error is not None:
            return metrics.calibration_error
        if self.answers is None:
            return None
        from mnist_tasks.checking.metrics import calibration_error

        return calibration_error(self.answers.probabilities, self.answers.labels)

    @cached_property
    def _found(self) -> Answers | str:
        """The answers, or why there are none; without predictions NumPy is not even loaded."""
        if not (self.folder / PREDICTIONS_NAME).is_file():
            return f"{self.folder / PREDICTIONS_NAME} is missing. {CHECK_IT}"
        from mnist_tasks.reporting import predicted_images

        try:
            return predicted_images.load(self.record, self.folder, self.data)
        except InputRefusedError as error:
            return f"{error}. {error.remedy or ''}".strip()
