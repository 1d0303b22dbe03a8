"""What commands print: results to standard output, errors and notes to standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from mnist_tasks.errors import on_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from rich.console import RenderableType

    from mnist_tasks.errors import Failure, MnistTasksError

Result = TypeVar("Result")
MOST_SKIPPED = 10


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended: what it returns.

    Attributes
    ----------
    result
        What its JSON document contains.
    as_json
        Whether that is to be printed; otherwise the command has printed its result.
    """

    result: Any
    exit_code: int
    as_json: bool


def finish(
    result: Result,
    draw: Callable[[Result], RenderableType] | None,
    *,
    as_json: bool,
    exit_code: int = 0,
) -> Outcome:
    """Print a result as `draw` draws it, unless JSON is wanted, and return the command's outcome.

    Without `draw`, the command has printed it.
    """
    if draw and not as_json:
        print_tables(draw(result), failed=exit_code != 0)
    return Outcome(result=result, exit_code=exit_code, as_json=as_json)


def open_in_browser(page: Path) -> None:
    """Open a page in a browser, or say that there is none."""
    import typer

    from mnist_tasks import console

    if typer.launch(str(page)):
        console.note(f"no browser could be started: open {page}")


def print_tables(*parts: RenderableType, failed: bool = False) -> None:
    """Print rich renderables to standard output; what `failed` is printed with --quiet, too."""
    from mnist_tasks import console

    console.results(failed=failed).print(*parts)


def print_line(text: str) -> None:
    """Print a line of plain text, with its paths unchanged, to standard output."""
    from rich.text import Text

    from mnist_tasks import console

    console.results().print(Text(on_one_line(text)), soft_wrap=True)


def print_error(error: MnistTasksError | Failure) -> None:
    """Print an error to standard error."""
    from mnist_tasks import console

    console.show_error(error)


def warn_skipped(skipped: Collection[str]) -> None:
    """Name the first records that were skipped, on standard error."""
    from mnist_tasks import console

    for each in list(skipped)[:MOST_SKIPPED]:
        console.note(f"skipped {each}")
    if len(skipped) > MOST_SKIPPED:
        console.note(f"and {len(skipped) - MOST_SKIPPED:,} more; `mnist-tasks runs` lists them")
