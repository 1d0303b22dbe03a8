"""The command line: a module for each command, and the one place that ends on an error."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import mnist_tasks
from mnist_tasks import errors
from mnist_tasks.cli import runs
from mnist_tasks.cli.check import check, vet
from mnist_tasks.cli.common import EXIT_CODES, show_error
from mnist_tasks.cli.doctor import doctor
from mnist_tasks.cli.false_alarms import calibrate
from mnist_tasks.cli.fetch import fetch
from mnist_tasks.cli.report import report
from mnist_tasks.cli.sweep import sweep
from mnist_tasks.cli.train import train


class _Group(TyperGroup):
    """The one place that turns an error into words and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        wants_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except errors.MnistTasksError as error:
            show_error(error, as_json=wants_json)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            from mnist_tasks import console

            console.note("Stopped. Every file is whole: the old one, or the new one.")
            raise typer.Exit(errors.INTERRUPTED) from error


app = typer.Typer(
    cls=_Group,
    name="mnist-tasks",
    help="Fetch MNIST, train a digit classifier, check it against its contract, report.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mnist-tasks {mnist_tasks.__version__}")
        raise typer.Exit


@app.callback()
def _before_commands(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


for command in (fetch, train, check, report, vet, sweep, calibrate, doctor):
    app.command(epilog=EXIT_CODES)(command)
app.add_typer(runs.app, name="runs")


class _Messages(io.TextIOWrapper):
    """Standard error. What it can't take, on a full disk, is left unsaid, and changes nothing."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and end the process with its exit code.

    An error that nobody foresaw is a bug, and must not pass for a contract that does not hold.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed, and there is nobody to tell
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - as long as we live
    if isinstance(sys.stdout, io.TextIOWrapper):  # a character that it lacks is no reason to fail
        sys.stdout.reconfigure(errors="replace")
    if isinstance(sys.stderr, io.TextIOWrapper):
        encoding = sys.stderr.encoding
        sys.stderr = _Messages(
            sys.stderr.detach(), encoding=encoding, errors="replace", line_buffering=True
        )
    try:
        app(arguments, prog_name="mnist-tasks")
    except Exception:
        traceback.print_exc()
        sys.exit(errors.BUG)
