"""Everything that a report of one run draws on, read once for the page, the tables and Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mnist_tasks.errors import InputRefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.ledger import Ledger
    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.answers import Answer, Answers, Bin

EXAMPLES = 24


@dataclass(frozen=True, kw_only=True)
class View:
    """One run, what its model said of each test image, and all runs.

    Attributes
    ----------
    answers
        ``None`` where they can't be shown, for the reason in `unanswered`.
    """

    record: RunRecord
    everything: Ledger
    answers: Answers | None
    unanswered: str = ""

    @cached_property
    def mistakes(self) -> tuple[Answer, ...]:
        """The mistakes of which the model was the surest."""
        from mnist_tasks.reporting import answers

        return answers.confident_mistakes(self.answers, EXAMPLES) if self.answers else ()

    @cached_property
    def unsure(self) -> tuple[Answer, ...]:
        """The true answers of which the model was the least sure."""
        from mnist_tasks.reporting import answers

        return answers.unsure_hits(self.answers, EXAMPLES) if self.answers else ()

    @cached_property
    def calibration(self) -> tuple[Bin, ...]:
        """How sureness and accuracy agree."""
        from mnist_tasks.reporting import answers

        return answers.calibration(self.answers) if self.answers else ()

    @cached_property
    def calibration_error(self) -> float:
        """How far sureness and accuracy lie apart on average, in [0, 1]."""
        from mnist_tasks.reporting import answers

        return answers.calibration_error(self.calibration)


def read(record: RunRecord, folder: Path, everything: Ledger, data: Path) -> View:
    """Gather what a report of a run draws on.

    Parameters
    ----------
    folder, data
        Of the run, and of the data files.
    """
    from mnist_tasks.reporting import answers

    try:
        found = answers.load(record, folder, data)
    except InputRefusedError as error:
        reason = f"{error}. {error.remedy or ''}".strip()
        return View(record=record, everything=everything, answers=None, unanswered=reason)
    return View(record=record, everything=everything, answers=found)
