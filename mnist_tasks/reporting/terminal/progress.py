"""Progress on standard error: live bars and curves in a terminal, lines at intervals elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from mnist_tasks import console
from mnist_tasks.reporting.terminal.curves import NARROWEST, Curve, side_by_side

SECONDS_BETWEEN_LINES = 5.0


class _Bar(Progress):
    """A live bar; `above` is drawn above it."""

    above: RenderableType | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield what is drawn, from top to bottom."""
        if self.above is not None:
            yield self.above
        yield self.make_tasks_table(self.tasks)


class LiveProgress:
    """A live bar in a terminal, with `columns` to its right, and lines at intervals elsewhere."""

    def __init__(self, *columns: ProgressColumn, bar_width: int | None = None) -> None:
        self._console = console.messages()
        self._is_live = console.is_live(self._console)
        self._bar = _Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width),
            *columns,
            console=self._console,
            transient=True,
            disable=not self._is_live,
        )
        self._task: TaskID | None = None
        self._next_line = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _start(self, name: str, total: float | None) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(escape(name), total=total, figures="")
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    def _line_is_due(self) -> bool:
        if self._is_live or time.monotonic() < self._next_line:
            return False
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
        return True

    def note(self, message: str) -> None:
        """Print a one-line message above the bar."""
        self._console.print(Text(message, style="dim"), soft_wrap=True)


class DownloadProgress(LiveProgress):
    """Bytes and speed of a download."""

    def __init__(self) -> None:
        super().__init__(DownloadColumn(), TransferSpeedColumn(), bar_width=20)
        self._name = ""

    def begin(self, name: str) -> None:
        """Start the download of a file."""
        self._name = name
        self._start(name, total=None)
        if not self._is_live:
            self.note(f"downloading {name}")

    def advance(self, done: int, total: int | None) -> None:
        """Show how many bytes have arrived, of how many (``None``: unknown)."""
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total)
        if self._line_is_due():
            whole = f" of {total / 1e6:.1f}" if total else ""
            self.note(f"{self._name}: {done / 1e6:.1f}{whole} MB")


class CountProgress(LiveProgress):
    """How many items are done, of how many."""

    def __init__(self, what: str) -> None:
        super().__init__(MofNCompleteColumn(), TimeRemainingColumn())
        self._what = what

    def show(self, done: int, total: int) -> None:
        """Show how many items are done."""
        if self._task is None:
            self._start(self._what, total=total)
        else:
            self._bar.update(self._task, completed=done)
        if self._line_is_due():
            self.note(f"{self._what}: {done:,} of {total:,}")


class CheckProgress(CountProgress):
    """How many models of several are checked; only in a terminal, as verdicts tell it elsewhere."""

    def __init__(self, models: int) -> None:
        super().__init__("checking")
        self._bar.disable = models < 2 or not self._is_live

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Clear the bar while something else is printed."""
        self._bar.stop()
        yield
        self._bar.start()

    def _line_is_due(self) -> bool:
        return False


class TrainingProgress(LiveProgress):
    """The progress of a training: curves of loss and accuracy, speed and time left."""

    def __init__(self) -> None:
        figures = TextColumn("{task.fields[figures]}")
        super().__init__(TaskProgressColumn(), figures, TimeRemainingColumn())
        self._epochs = self._images = 0
        self._started = 0.0
        self._loss = Curve("loss", "{:.4f}")
        self._accuracy = Curve("accuracy", "{:.2%}")

    def __enter__(self) -> Self:
        self._start("starting TensorFlow", total=None)
        return super().__enter__()

    def begin(self, epochs: int, images: int) -> None:
        """Start a training of `epochs` passes over `images` images."""
        if self._console.width >= NARROWEST and not self._console.options.ascii_only:
            self._bar.above = side_by_side(self._loss, self._accuracy)
        self._epochs, self._images = epochs, images
        self._started = time.monotonic()
        self._start(f"epoch 1/{epochs}", total=epochs * images)

    def advance(self, epoch: int, images: int, loss: float, accuracy: float) -> None:
        """Show how many images of an epoch are done, and its running means; accuracy in [0, 1]."""
        self._loss.values.append(loss)
        self._accuracy.values.append(accuracy)
        done = (epoch - 1) * self._images + images
        speed = done / max(time.monotonic() - self._started, 1e-6)
        figures = f"loss {loss:.4f}  accuracy {accuracy:.2%}  {speed:,.0f} images/s"
        name = f"epoch {epoch}/{self._epochs}"
        if self._task is not None:
            self._bar.update(self._task, completed=done, description=name, figures=figures)
        if self._line_is_due() or (images == self._images and not self._is_live):
            self.note(f"{name}  {images:,}/{self._images:,} images  {figures}")
