"""Logs for TensorBoard, which needs the extra ``tensorboard``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Self

from mnist_tasks import disk, install, records
from mnist_tasks.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.training.loop import EpochProgress


def logged(progress: EpochProgress, folder: Path | None) -> AbstractContextManager[EpochProgress]:
    """Return a progress that is also logged for TensorBoard, if there is a folder.

    Raises
    ------
    EnvironmentProblemError
        TensorBoard is not installed, or the folder can't be written.
    """
    return nullcontext(progress) if folder is None else TensorBoardLog(folder, progress)


class TensorBoardLog(AbstractContextManager["TensorBoardLog"]):
    """Logs loss and accuracy by the number of images seen, and passes the progress on.

    Parameters
    ----------
    folder
        Each training gets its own folder in it.

    Raises
    ------
    EnvironmentProblemError
        TensorBoard is not installed, or the folder can't be written.
    """

    def __init__(self, folder: Path, progress: EpochProgress) -> None:
        try:
            from tensorboard.summary import Writer
        except ModuleNotFoundError as error:
            raise EnvironmentProblemError(
                "--tensorboard",
                expected="TensorBoard",
                found=f"the module {error.name} is not installed",
                remedy=f"Run {install.command('tensorboard')}.",
            ) from error
        disk.require_writable(folder, remedy="Name another folder with --tensorboard.")
        self._folder = folder / records.new_id()
        self._open = Writer
        self._writer: Any = None
        self._progress = progress
        self._images = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def begin(self, epochs: int, images: int) -> None:
        """Open the log. The writer loads TensorFlow, which by now is loaded without messages."""
        self._images = images
        self._writer = self._open(str(self._folder))
        self._progress.begin(epochs, images)

    def advance(self, epoch: int, images: int, loss: float, accuracy: float) -> None:
        """Log the means of an epoch so far."""
        seen = (epoch - 1) * self._images + images
        self._writer.add_scalar("loss", loss, seen)
        self._writer.add_scalar("accuracy", accuracy, seen)
        self._progress.advance(epoch, images, loss, accuracy)

    def note(self, message: str) -> None:
        """Pass a message on."""
        self._progress.note(message)
