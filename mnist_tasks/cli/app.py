"""The command line: a module for each command; errors become exit codes here."""

from __future__ import annotations

import sys
from contextlib import nullcontext, suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mnist_tasks import errors
from mnist_tasks.cli import ending, project_defaults, runs, termination
from mnist_tasks.cli.check import check, vet
from mnist_tasks.cli.command import PROGRAM, Command, Invocation
from mnist_tasks.cli.common import EXIT_CODES
from mnist_tasks.cli.demo import demo
from mnist_tasks.cli.doctor import doctor
from mnist_tasks.cli.export import export
from mnist_tasks.cli.false_alarms import false_alarms
from mnist_tasks.cli.fetch import fetch
from mnist_tasks.cli.init import init
from mnist_tasks.cli.predict import predict
from mnist_tasks.cli.report import report
from mnist_tasks.cli.reproduce import reproduce
from mnist_tasks.cli.sweep import sweep
from mnist_tasks.cli.train import train
from mnist_tasks.version import VERSION

RENAMED_COMMANDS = {"calibrate": "false-alarms"}


class _Group(TyperGroup):
    """The commands, with a project's settings as their defaults."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:  # typer would exit without a word
            raise ending.CommandInterruptedError(*error.args) from error

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not ctx.resilient_parsing and (name := RENAMED_COMMANDS.get(args[0])):
            raise errors.UsageError(
                args[0],
                expected="a command",
                found="the old name of a command",
                remedy=f"It is now called `{PROGRAM} {name}`.",
            )
        found = super().resolve_command(ctx, args)
        call = ctx.ensure_object(Invocation)
        call.command, *_ = found
        if not set(ctx.help_option_names) & set(args):  # help needs no valid project
            # Nor does what completes a command line.
            with suppress(errors.MnistTasksError) if ctx.resilient_parsing else nullcontext():
                self._use_project(ctx, call)
        return found

    def _use_project(self, ctx: Any, call: Invocation) -> None:
        from mnist_tasks import project

        if ours := project.find():
            call.project = ours
            ctx.default_map = project_defaults.default_map(ours, self.commands)


app = typer.Typer(
    cls=_Group,
    name=PROGRAM,
    help="Fetch images, train a classifier on them, check it against a contract, and report.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {VERSION}")
        raise typer.Exit


@app.callback()
def _before_commands(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Handle the options before the command."""


_WORKFLOW = (init, fetch, train, check, report)
_OTHERS = (predict, demo, export, vet, sweep, reproduce, false_alarms, doctor)
for command in (*_WORKFLOW, *_OTHERS):
    app.command(cls=Command, epilog=EXIT_CODES)(command)
app.add_typer(runs.app, name="runs")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    with termination.unwinding():
        sys.exit(ending.run(app, arguments))
