"""The commands ``runs``: list the records of past runs, show one, delete old ones."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mnist_tasks import config
from mnist_tasks.cli import completion
from mnist_tasks.cli.command import Command
from mnist_tasks.cli.common import EXIT_CODES, AsJson, Quiet, Runs
from mnist_tasks.cli.output import Outcome, finish, print_line, print_tables, warn_skipped
from mnist_tasks.errors import UsageError, on_one_line


class _ListByDefault(TyperGroup):
    """Makes ``runs`` without a command mean ``runs list``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ListByDefault,
    help="List past runs (the default), show one, or delete old ones.",
    epilog=EXIT_CODES,
    no_args_is_help=False,
)


@app.command("list", cls=Command, epilog=EXIT_CODES)
def list_(
    recipe: Annotated[
        str | None,
        typer.Option(autocompletion=completion.recipes, help="Only runs of this recipe."),
    ] = None,
    contract: Annotated[
        str | None, typer.Option(help="Only passed, failed, inconclusive or unchecked runs.")
    ] = None,
    above: Annotated[
        float | None, typer.Option(help="Only runs with an accuracy above this, such as 0.99.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only runs since this date, such as 2026-11-22.")
    ] = None,
    sort: Annotated[
        str,
        typer.Option(help="Sort by created, accuracy, loss, parameters or seconds, best first."),
    ] = "created",
    reverse: Annotated[bool, typer.Option("--reverse", help="Reverse the order.")] = False,
    most: Annotated[int, typer.Option(min=0, help="Number of runs to show; 0 shows all.")] = 0,
    runs: Runs = config.RUNS_FOLDER,
    as_json: AsJson = False,
) -> Outcome:
    """List runs, newest first."""
    from mnist_tasks import disk, run_store
    from mnist_tasks.reporting import run_filter
    from mnist_tasks.reporting.terminal import runs as run_tables

    wanted = run_filter.RunFilter(
        recipe=recipe,
        contract=contract,
        above=above,
        since=since,
        sort=sort,
        reverse=reverse,
        most=most,
    )
    with _without_collecting():
        found = run_store.list_runs(runs)
        chosen = run_filter.select(found.runs, wanted)
        if not as_json:
            print_tables(run_tables.listed(chosen, found, size=disk.size(runs)))
            return finish(None, None, as_json=False)
        from mnist_tasks.cli.documents import RunList
        from mnist_tasks.reporting import export_tables

        rows = tuple(map(export_tables.of_listed, chosen))
        listed = RunList(runs=rows, skipped=tuple(found.skipped))
        return finish(listed, None, as_json=True)


@app.command(cls=Command, epilog=EXIT_CODES)
def show(
    name: Annotated[
        str,
        typer.Argument(
            help="Run id, prefix of an id, path of a record or checked model file, or latest.",
            metavar="RUN",
            autocompletion=completion.runs,
        ),
    ],
    runs: Runs = config.RUNS_FOLDER,
    as_json: AsJson = False,
) -> Outcome:
    """Show a run."""
    from mnist_tasks import check_store, run_store
    from mnist_tasks.reporting.terminal import runs as run_tables

    stored = run_store.list_runs(runs)
    record, _ = check_store.find_named(stored, runs, name)
    warn_skipped(stored.skipped)
    return finish(record, run_tables.run, as_json=as_json)


@app.command(cls=Command, epilog=EXIT_CODES)
def prune(
    keep: Annotated[int, typer.Option(min=0, help="Number of the newest runs to keep.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    runs: Runs = config.RUNS_FOLDER,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Delete all but the newest runs, with everything in their folders.

    Also deletes all but as many of the checks of models that no run made. A folder without a valid
    record is never deleted.
    """
    from mnist_tasks import check_store, console, pruning, run_store
    from mnist_tasks.cli.documents import PrunedRuns

    stored = run_store.list_runs(runs)
    warn_skipped(stored.skipped)
    old = stored.runs[: max(0, len(stored.runs) - keep)]
    checks = check_store.old(runs, keep)
    if (old or checks) and not yes:
        what = _counted(len(old), len(stored.runs), len(checks))
        _ask(f"Delete {what} from {runs}?", as_json=as_json)

    def wait(holder: str) -> None:
        console.note(f"waiting for {holder}, which works in {runs}, too")

    deleted = set(pruning.delete([*(runs / run.id for run in old), *checks], runs, on_wait=wait))
    ids = tuple(run.id for run in old if runs / run.id in deleted)
    pruned = PrunedRuns(deleted=ids, deleted_checks=len(deleted) - len(ids))
    if not as_json:
        print_line(f"deleted {_counted(len(ids), len(stored.runs), pruned.deleted_checks)}")
    return finish(pruned, None, as_json=as_json)


def _counted(runs: int, of_runs: int, checks: int) -> str:
    others = f", and {checks:,} checks of other models" if checks else ""
    return f"{runs:,} of {of_runs:,} runs{others}"


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Turn off garbage collection: records have no cycles, and it takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _ask(question: str, *, as_json: bool) -> None:
    """Ask for confirmation; raise an error if there is no terminal."""
    if as_json or not sys.stdin.isatty():
        raise UsageError(
            "runs prune",
            expected="--yes, since there is no terminal for a prompt",
            found="no --yes",
        )
    if not typer.confirm(on_one_line(question), err=True):
        print_line("nothing was deleted")
        raise typer.Exit
