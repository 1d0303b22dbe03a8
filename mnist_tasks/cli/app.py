"""The command line: a module for each command; errors become exit codes here."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mnist_tasks import errors, install
from mnist_tasks.cli import project_defaults, runs, termination
from mnist_tasks.cli.check import check, vet
from mnist_tasks.cli.common import EXIT_CODES, print_error, print_json
from mnist_tasks.cli.doctor import doctor
from mnist_tasks.cli.false_alarms import false_alarms
from mnist_tasks.cli.fetch import fetch
from mnist_tasks.cli.init import init
from mnist_tasks.cli.report import report
from mnist_tasks.cli.sweep import sweep
from mnist_tasks.cli.train import train
from mnist_tasks.version import VERSION

RENAMED_COMMANDS = {"calibrate": "false-alarms"}


class _Group(TyperGroup):
    """Print errors and exit with their codes."""

    def invoke(self, ctx: Any) -> Any:
        wants_json = "--json" in ctx.args
        try:
            if not set(ctx.help_option_names) & set(ctx.args):  # help needs no valid project
                from mnist_tasks import project

                if ours := project.find():
                    ctx.obj = ours
                    ctx.default_map = project_defaults.default_map(ours, self.commands)
            return super().invoke(ctx)
        except errors.MnistTasksError as error:
            if wants_json:
                print_json({"schema": 1, "error": error.as_dict()})
            else:
                print_error(error)
            raise typer.Exit(error.exit_code) from error
        except ImportError as error:
            if not wants_json:
                raise
            print_json({"schema": 1, "error": install.import_problem(error).as_dict()})
            raise typer.Exit(errors.EnvironmentProblemError.exit_code) from error
        except KeyboardInterrupt as error:
            from mnist_tasks import console

            console.note(f"Interrupted. {str(error) or 'Every file on disk is complete.'}")
            raise typer.Exit(errors.INTERRUPTED) from error

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and (name := RENAMED_COMMANDS.get(args[0])):
            raise errors.UsageError(
                args[0],
                expected="a command",
                found="the old name of a command",
                remedy=f"It is now called `mnist-tasks {name}`.",
            )
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Group,
    name="mnist-tasks",
    help="Fetch images, train a classifier of them, check it against a contract, and report.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mnist-tasks {VERSION}")
        raise typer.Exit


@app.callback()
def _before_commands(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Handle the options before the command."""


for command in (init, fetch, train, check, report, vet, sweep, false_alarms, doctor):
    app.command(cls=project_defaults.Command, epilog=EXIT_CODES)(command)
app.add_typer(runs.app, name="runs")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code.

    An unexpected exception is a bug. Its exit code must not be mistaken for a failed contract's.
    """
    try:
        with termination.unwinding():
            app(arguments, prog_name="mnist-tasks")
    except ImportError:
        raise  # a library is missing or broken
    except Exception:
        traceback.print_exc()
        sys.exit(errors.BUG)
