"""The files that a report leaves, each written whole or not at all, and the report as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mnist_tasks import disk
from mnist_tasks.reporting.run_view import View

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.reporting.comparison import Comparison

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which files to write: two files and, for CSV, a folder; what is ``None`` is not."""

    html: Path | None = None
    markdown: Path | None = None
    csv: Path | None = None


def write(shown: View | Comparison, wanted: Wanted) -> None:
    """Write what is wanted of a run, or of several side by side.

    Raises
    ------
    EnvironmentProblemError
        A file can't be written.
    """
    if wanted.html:
        from mnist_tasks.reporting import html

        page = html.run(shown) if isinstance(shown, View) else html.compare(shown)
        _write(wanted.html, page, "--html")
    if wanted.markdown:
        from mnist_tasks.reporting import markdown

        text = markdown.run(shown) if isinstance(shown, View) else markdown.compare(shown)
        _write(wanted.markdown, text, "--markdown")
    if wanted.csv:
        from mnist_tasks.reporting import export_tables

        export_tables.write(_tables(shown), wanted.csv)


def document(shown: View | Comparison, wanted: Wanted) -> dict[str, Any]:
    """Return the same facts for programs: the records, all tables, and the files written."""
    if isinstance(shown, View):
        records: dict[str, Any] = {"run": shown.record}
        skipped = shown.everything.skipped
    else:
        records = {"compared": shown.records}
        skipped = shown.views[0].everything.skipped
    return {
        "schema": SCHEMA,
        **records,
        "tables": _tables(shown),
        "skipped": skipped,
        "written": {name: str(path) for name, path in asdict(wanted).items() if path},
    }


def _tables(shown: View | Comparison) -> dict[str, Any]:
    from mnist_tasks.reporting import export_tables

    return (
        export_tables.of_run(shown)
        if isinstance(shown, View)
        else export_tables.of_comparison(shown)
    )


def _write(path: Path, text: str, option: str) -> None:
    with disk.writable(path.parent, remedy=f"Name another file with {option}."):
        disk.write(path, text.encode())
