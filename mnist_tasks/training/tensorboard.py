"""Logs for TensorBoard, which needs the extra ``tensorboard``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mnist_tasks import disk, install, records
from mnist_tasks.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mnist_tasks.training.loop import EpochProgress


@contextmanager
def logged(progress: EpochProgress, folder: Path | None) -> Iterator[EpochProgress]:
    """Yield a progress that is also logged for TensorBoard, if there is a folder.

    Each training gets its own folder in it.

    Raises
    ------
    EnvironmentProblemError
        TensorBoard is not installed, or the folder can't be written.
    """
    if folder is None:
        yield progress
        return
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
    log = _Log(lambda: Writer(str(folder / records.new_id())), progress)
    try:
        yield log
    finally:
        if log.writer is not None:
            log.writer.close()


class _Log:
    """Logs loss and accuracy by the number of images seen, and passes the progress on."""

    def __init__(self, open_writer: Callable[[], Any], progress: EpochProgress) -> None:
        self.writer: Any = None
        self._open_writer = open_writer
        self._progress = progress
        self._images = 0

    def begin(self, epochs: int, images: int) -> None:
        # The writer loads TensorFlow, which by now is loaded without messages.
        self.writer = self._open_writer()
        self._images = images
        self._progress.begin(epochs, images)

    def advance(self, epoch: int, images: int, loss: float, accuracy: float) -> None:
        seen = (epoch - 1) * self._images + images
        self.writer.add_scalar("loss", loss, seen)
        self.writer.add_scalar("accuracy", accuracy, seen)
        self._progress.advance(epoch, images, loss, accuracy)

    def note(self, message: str) -> None:
        self._progress.note(message)
