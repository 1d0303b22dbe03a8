"""The data of one run's report, loaded once for the page, the tables and Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mnist_tasks import predictions
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError
from mnist_tasks.reporting import run_summary

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.listed_runs import ListedRun
    from mnist_tasks.look_counts import Looks
    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.predicted_images import ImagePredictions
    from mnist_tasks.run_store import StoredRuns


@dataclass(frozen=True, kw_only=True)
class RunView:
    """One run with its folder, all stored runs, and the folder of the data files.

    Attributes
    ----------
    record
        Without epochs, it is only the check of a model that no run made.
    note
        What else the reader must know; it can be empty.
    looks
        How many models were compared on the test images; ``None`` if this one saw none.
    data_folder
        As in `store.folder_of`.
    """

    record: RunRecord
    folder: Path
    stored_runs: StoredRuns
    data_folder: Path | None = None
    note: str = ""
    looks: Looks | None = None

    @property
    def has_others(self) -> bool:
        """Whether there is more to list than this run."""
        stored = self.stored_runs
        return any(run.id != self.record.id for run in stored.runs) or bool(stored.skipped)

    @property
    def alike(self) -> tuple[ListedRun, ...]:
        """The stored runs of the same data set, whose accuracies can be compared."""
        name = run_summary.dataset(self.record).name
        return tuple(run for run in self.stored_runs.runs if run.dataset == name)

    @property
    def predictions(self) -> ImagePredictions | None:
        """The predictions; ``None`` if there are none, for the reason in `no_predictions`."""
        return None if isinstance(self._found, str) else self._found

    @property
    def no_predictions(self) -> str:
        """The reason why there are no predictions; empty if there are."""
        return self._found if isinstance(self._found, str) else ""

    @cached_property
    def _found(self) -> ImagePredictions | str:
        """The predictions, or the reason why there are none. Without any, NumPy is not loaded."""
        path = self.folder / predictions.FILE_NAME
        if not path.is_file():
            return f"{path} is missing. Run `mnist-tasks check` on the model of this run."
        from mnist_tasks.reporting import predicted_images

        try:
            return predicted_images.load(self.record, self.folder, self.data_folder)
        except (InputRefusedError, EnvironmentProblemError) as error:
            return f"{error}. {error.remedy or ''}".strip()
