"""The command ``report``: one run, several side by side, or a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks import config, errors
from mnist_tasks.cli import completion
from mnist_tasks.cli.common import AsJson, DataDir, Quiet, Runs
from mnist_tasks.cli.output import Outcome, finish, open_in_browser, print_line, print_tables
from mnist_tasks.errors import UsageError


def report(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Run ids, prefixes of ids, paths of records or checked model files, or the "
            "folder of a sweep \\[default: latest]. "
            "Several runs are each compared with the first.",
            metavar="RUN",
            autocompletion=completion.runs,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="HTML page to write \\[default: report.html beside the record]"),
    ] = None,
    no_html: Annotated[bool, typer.Option("--no-html", help="Write no HTML page.")] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    markdown: Annotated[Path | None, typer.Option(help="Markdown file to write.")] = None,
    csv: Annotated[
        Path | None,
        typer.Option(help="Folder for all wrong images and the numbers of the page, as CSV files."),
    ] = None,
    runs: Runs = config.RUNS_FOLDER,
    data_dir: DataDir = None,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code", help="Exit with 1 unless each of the runs passed its contract."
        ),
    ] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Summarize the latest run and its check, other runs or a sweep, and write an HTML page."""
    from mnist_tasks.reporting import comparison, export_tables, files
    from mnist_tasks.reporting.terminal import runs as run_tables

    if no_html and (html or open_page):
        option = "--html" if html else "--open"
        raise UsageError("--no-html", expected=f"no {option} beside it", found=f"{option}, too")
    shown = comparison.view(names or [], runs, data_dir)
    page = None if no_html else html or files.default_page(shown, runs)
    wanted = files.ReportFiles(html=page, markdown=markdown, csv=csv)
    inputs = files.inputs(shown, names or [])
    files.require_outputs({"--html": page, "--markdown": markdown}, inputs)
    if csv is not None:
        export_tables.require_own(csv)
    if not as_json:
        print_tables(run_tables.report(shown))
    files.write_report(shown, wanted)
    if page and not as_json:
        print_line(f"page: {page}")
    if open_page and page:
        open_in_browser(page)
    code = errors.CONTRACT_FAILED if exit_code and not comparison.passed(shown) else 0
    document = files.report_document(shown, wanted) if as_json else None
    return finish(document, None, as_json=as_json, exit_code=code)
