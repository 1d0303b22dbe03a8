"""The terminal: results go to standard output, messages and errors to standard error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console, ConsoleOptions, RenderableType
from rich.panel import Panel
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from mnist_tasks import errors, null_device
from mnist_tasks.errors import Failure, MnistTasksError
from mnist_tasks.terminal_variables import is_in_notebook, odd_sizes

LOG_WIDTH = 120  # columns if the output is not a terminal, so that numbers don't wrap


class _SafeConsole(Console):
    """A console on which no text is markup or a terminal escape, whatever it was made from.

    It also keeps working after its reader, such as ``head``, has closed the pipe.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Render without control characters; those of rich itself are segments of their own."""
        for segment in super().render(renderable, options):
            text = segment.text
            if segment.control or text.isprintable() or text == "\n":
                yield segment
            else:
                yield segment._replace(text=errors.without_controls(text))

    def on_broken_pipe(self) -> None:
        """Discard the rest of the output; the exit code stays that of the command."""
        self.quiet = True
        null_device.discard(self.file)


_is_quiet: ContextVar[bool] = ContextVar("_is_quiet", default=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Print only errors in the block."""
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def _console(*, stderr: bool, quiet: bool) -> Console:
    odd = odd_sizes(os.environ)
    environment = {name: text for name, text in os.environ.items() if name not in odd}
    console = _SafeConsole(
        stderr=stderr,
        quiet=quiet,
        highlight=False,
        markup=False,
        emoji=False,
        _environ=environment,
    )
    if not console.file.isatty() and "COLUMNS" not in environment:
        console.width = LOG_WIDTH
    return console


def results(*, failed: bool = False) -> Console:
    """Return the console of standard output; of a result that `failed`, also of a quiet command."""
    return _console(stderr=False, quiet=_is_quiet.get() and not failed)


def messages() -> Console:
    """Return the console of standard error."""
    return _console(stderr=True, quiet=_is_quiet.get())


def is_live(console: Console) -> bool:
    """Whether bars can move on a console.

    ``FORCE_COLOR`` colors a pipe, but makes no terminal of it; ``TTY_COMPATIBLE=1`` does. Nor does
    a cell of a notebook: ``!command`` runs on a terminal there whose frames are kept, one below the
    other.
    """
    if console.quiet:
        return False
    if os.environ.get("TTY_COMPATIBLE") == "1":
        return console.is_terminal
    is_screen = console.file.isatty() and not console.is_dumb_terminal
    return console.is_terminal and is_screen and not is_in_notebook(os.environ)


def show_error(error: MnistTasksError | Failure) -> None:
    """Print an error to standard error, as a panel with a row for each part."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in errors.rows(error).items():
        grid.add_row(name, Text(text))
    shown = _console(stderr=True, quiet=False)
    shown.print(Panel(grid, title=error.title, title_align="left", border_style="red"))


def note(message: str) -> None:
    """Print a one-line message to standard error."""
    messages().print(Text(errors.on_one_line(message), style="dim"), soft_wrap=True)
