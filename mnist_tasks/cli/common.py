"""What the commands share: their common options, and how they show what they found."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnist_tasks.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mnist_tasks.data.datasets import Split
    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.errors import MnistTasksError

EXIT_CODES = (
    "Exit codes: 0 done, and the contract holds · 1 the contract does not hold · 2 wrong usage · "
    "3 input refused · 4 the environment can't · 130 stopped by Ctrl-C"
)
DataDir = Annotated[
    Path | None,
    typer.Option(
        envvar="MNIST_TASKS_DATA",
        help="Folder of the data files; the platform's cache folder by default.",
    ),
]
Runs = Annotated[Path, typer.Option(help="Folder of the run records.")]
Offline = Annotated[bool, typer.Option("--offline", help="Use no network.")]
MirrorUrl = Annotated[
    str | None,
    typer.Option(
        envvar="MNIST_TASKS_MIRROR",
        help="Address of a mirror to use in place of the known sources: ends in / where the four "
        ".gz files lie below it, or names a mnist.npz.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, nothing else.")]


def load_digits(
    split: Split, data_dir: Path | None, *, mirror: str | None, offline: bool
) -> LabeledImages:
    """Load one split, and fetch the data first where it is missing."""
    from mnist_tasks.data import loading
    from mnist_tasks.reporting.terminal.progress import DownloadProgress

    wanted = loading.DataConfig(folder=data_dir, mirror=mirror, offline=offline)
    return loading.load(split, wanted, progress=DownloadProgress())


def show(view: str, result: object, *, as_json: bool) -> None:
    """Print a result as the table of that name, or as JSON."""
    if as_json:
        return print_json(result)
    from mnist_tasks.reporting.terminal import results

    print_tables(getattr(results, view)(result))
    return None


@contextmanager
def _said() -> Iterator[None]:
    """End with an error where standard output takes nothing more, as on a full disk.

    A reader that has gone away, as ``head`` does, is no error.
    """
    from mnist_tasks import console

    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        console.discard(sys.stdout)
    except OSError as error:
        console.discard(sys.stdout)
        lack = EnvironmentProblemError(
            "standard output",
            expected="a place that takes what is printed",
            found=error.strerror or str(error),
            remedy="Make room there, or send the output elsewhere.",
        )
        console.show_error(lack)
        raise typer.Exit(lack.exit_code) from error


def print_tables(*parts: Any) -> None:
    """Print what rich draws to standard output."""
    from mnist_tasks import console

    with _said():
        console.results().print(*parts)


def print_line(text: str) -> None:
    """Print a line of text to standard output, as it is."""
    from rich.text import Text

    from mnist_tasks import console
    from mnist_tasks.errors import printable

    with _said():
        console.results().print(Text(printable(text)), soft_wrap=True)


def print_json(result: object) -> None:
    """Print a result as one JSON document."""
    from mnist_tasks import run_store

    with _said():
        sys.stdout.write(run_store.to_json(result).decode())


def show_error(error: MnistTasksError, *, as_json: bool) -> None:
    """Say what went wrong: on standard error, or as JSON on standard output."""
    if as_json:
        return print_json({"schema": 1, "error": error.as_dict()})
    from mnist_tasks import console

    console.show_error(error)
    return None
