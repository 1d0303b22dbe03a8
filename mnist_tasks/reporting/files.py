"""The files of a check and of a report, each written completely or not at all."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mnist_tasks import disk
from mnist_tasks.checking.results import CheckResults
from mnist_tasks.reporting import export_tables
from mnist_tasks.reporting.comparison import Comparison
from mnist_tasks.reporting.run_view import RunView

PAGE_NAME = "report.html"
COMPARISON_NAME = "comparison.html"
SCHEMA = 2  # of the report's JSON document
SUMMARY = "GITHUB_STEP_SUMMARY"  # the file that GitHub Actions shows on the page of a job


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """The files that a report writes; `csv` is a folder."""

    html: Path | None = None
    markdown: Path | None = None
    csv: Path | None = None


def write_check(
    results: CheckResults, *, junit: Path | None = None, markdown: Path | None = None
) -> None:
    """Write the results of a check.

    Parameters
    ----------
    markdown
        Also appended to the summary of the job if GitHub Actions runs this.

    Raises
    ------
    EnvironmentProblemError
        A file can't be written.
    """
    if junit is not None:
        from mnist_tasks.reporting import junit as junit_xml

        _write(junit, junit_xml.document(results), "--junit")
    if markdown is not None:
        from mnist_tasks.reporting import markdown as markdown_text

        content = markdown_text.check(results).encode()
        _write(markdown, content, "--markdown")
        if summary := os.environ.get(SUMMARY):
            with (
                disk.writable(Path(summary).parent, remedy=f"Unset {SUMMARY}."),
                Path(summary).open("ab") as file,
            ):
                file.write(content)


def default_page(shown: RunView | Comparison, runs: Path) -> Path:
    """Return the default path of a page: beside a run's record, or in the folder of the runs."""
    return shown.folder / PAGE_NAME if isinstance(shown, RunView) else runs / COMPARISON_NAME


def write_report(shown: RunView | Comparison, wanted: ReportFiles) -> None:
    """Write the report of a run or of a comparison.

    Raises
    ------
    EnvironmentProblemError
        A file can't be written.
    """
    if wanted.html:
        from mnist_tasks.reporting import html

        page = html.run(shown) if isinstance(shown, RunView) else html.compare(shown)
        _write(wanted.html, page.encode(), "--html")
    if wanted.markdown:
        from mnist_tasks.reporting import markdown

        text = markdown.run(shown) if isinstance(shown, RunView) else markdown.compare(shown)
        _write(wanted.markdown, text.encode(), "--markdown")
    if wanted.csv:
        export_tables.write(export_tables.of_report(shown), wanted.csv)


def report_document(shown: RunView | Comparison, wanted: ReportFiles) -> dict[str, Any]:
    """Return the JSON document of a report: the records, all tables, and the files written."""
    if isinstance(shown, RunView):
        records: dict[str, Any] = {"run": shown.record}
        if not shown.record.epochs:
            records = {"run": None, "check": shown.record.check}
        skipped = shown.stored_runs.skipped
    else:
        records = {"compared": shown.records}
        skipped = shown.views[0].stored_runs.skipped
    return {
        "schema": SCHEMA,
        **records,
        "tables": export_tables.of_report(shown),
        "skipped": skipped,
        "written": {name: str(path) for name, path in asdict(wanted).items() if path},
    }


def _write(path: Path, content: bytes, option: str) -> None:
    with disk.writable(path.parent, remedy=f"Name another file with {option}."):
        disk.require_replaceable(path)
        disk.write(path, content)
