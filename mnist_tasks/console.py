"""Where words go: results to standard output, progress and errors to standard error.

In a terminal there are live bars and curves; in a pipe or a log plain lines, wide enough that
nothing wraps in the middle of a figure.
"""

from __future__ import annotations

import os
import time
from typing import IO, TYPE_CHECKING, Self

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from mnist_tasks.reporting.terminal.curves import NARROWEST, Curve, side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.progress import ProgressColumn, TaskID

    from mnist_tasks.errors import Failure, MnistTasksError

LOG_WIDTH = 120
SECONDS_BETWEEN_LINES = 5.0


class _PatientConsole(Console):
    """A console whose reader may go away, as ``head`` does, without an end of the program."""

    def on_broken_pipe(self) -> None:
        """Say the rest to nobody: the exit code stays that of the command."""
        self.quiet = True
        discard(self.file)


def discard(stream: IO[str]) -> None:
    """Send what is still to come on a stream nowhere, after its reader has gone away."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _console(*, stderr: bool) -> Console:
    console = _PatientConsole(stderr=stderr, highlight=False)
    if not console.is_terminal and "COLUMNS" not in console._environ:  # noqa: SLF001
        console.width = LOG_WIDTH
    return console


def results() -> Console:
    """Return the console of standard output."""
    return _console(stderr=False)


def messages() -> Console:
    """Return the console of standard error."""
    return _console(stderr=True)


def show_error(error: MnistTasksError | Failure) -> None:
    """Say what was looked at, what was expected, what was found and what to do."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    rows = {
        "looked at": error.subject,
        "expected": error.expected,
        "found": error.found,
        "what to do": error.remedy,
    }
    for name, value in rows.items():
        if value:
            grid.add_row(name, Text(value))
    messages().print(Panel(grid, title=error.title, title_align="left", border_style="red"))


def note(message: str) -> None:
    """Say something in a line on standard error."""
    messages().print(Text(message, style="dim"), soft_wrap=True)


class _Bar(Progress):
    """A live bar, below what is set as `above`."""

    above: RenderableType | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield what is drawn, from top to bottom."""
        if self.above is not None:
            yield self.above
        yield self.make_tasks_table(self.tasks)


class Live:
    """A live bar in a terminal, and lines at intervals elsewhere."""

    def __init__(self, *columns: ProgressColumn) -> None:
        self._console = messages()
        self._bar = _Bar(
            *columns,
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._next_line = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _start(self, name: str, total: float | None, figures: str = "") -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(escape(name), total=total, figures=figures)
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    def _line_is_due(self) -> bool:
        if self._console.is_terminal or time.monotonic() < self._next_line:
            return False
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
        return True

    def note(self, message: str) -> None:
        """Say something in a line, above the bar."""
        self._console.print(Text(message, style="dim"), soft_wrap=True)


class DownloadProgress(Live):
    """Bytes and speed of a download."""

    def __init__(self) -> None:
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            DownloadColumn(),
            TransferSpeedColumn(),
        )
        self._name = ""

    def begin(self, name: str) -> None:
        """Say that a download starts."""
        self._name = name
        self._start(name, total=None)
        if not self._console.is_terminal:
            self.note(f"downloading {name}")

    def advance(self, done: int, total: int | None) -> None:
        """Say how many bytes have come, of how many (``None``: not known)."""
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total)
        if self._line_is_due():
            whole = f" of {total / 1e6:.1f}" if total else ""
            self.note(f"{self._name}: {done / 1e6:.1f}{whole} MB")


class CountProgress(Live):
    """How many of a number of things are done."""

    def __init__(self, what: str) -> None:
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._what = what
        self._done = self._total = 0

    def begin(self, total: int) -> None:
        """Say how many there are."""
        self._total = total
        self._start(self._what, total=total)

    def advance(self) -> None:
        """Say that one more is done."""
        self._done += 1
        if self._task is not None:
            self._bar.update(self._task, completed=self._done)
        if self._line_is_due():
            self.note(f"{self._what}: {self._done:,} of {self._total:,}")


class TrainingProgress(Live):
    """How far a training is: curves of its loss and accuracy, speed and time left."""

    def __init__(self) -> None:
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
        )
        self._epochs = self._images = 0
        self._begun = 0.0
        self._loss = Curve("loss", "{:.4f}")
        self._accuracy = Curve("accuracy", "{:.2%}")
        if self._console.width >= NARROWEST and not self._console.options.ascii_only:
            self._bar.above = side_by_side(self._loss, self._accuracy)

    def begin(self, epochs: int, images: int) -> None:
        """Say that training starts: how many passes over how many images."""
        self._epochs, self._images = epochs, images
        self._begun = time.monotonic()
        self._start(f"epoch 1/{epochs}", total=epochs * images)

    def advance(self, epoch: int, images: int, loss: float, accuracy: float) -> None:
        """Say how far an epoch is, with its running means; accuracy in [0, 1]."""
        self._loss.values.append(loss)
        self._accuracy.values.append(accuracy)
        done = (epoch - 1) * self._images + images
        speed = done / max(time.monotonic() - self._begun, 1e-6)
        figures = f"loss {loss:.4f}  accuracy {accuracy:.2%}  {speed:,.0f} images/s"
        name = f"epoch {epoch}/{self._epochs}"
        if self._task is not None:
            self._bar.update(self._task, completed=done, description=name, figures=figures)
        if self._line_is_due() or (images == self._images and not self._console.is_terminal):
            self.note(f"{name}  {images:,}/{self._images:,} images  {figures}")
