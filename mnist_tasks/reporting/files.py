"""The files of a check and of a report, each written completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import disk, run_models
from mnist_tasks.check_records import Check
from mnist_tasks.checking.results import CheckResults
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.look_counts import Looks
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import export_tables
from mnist_tasks.reporting.comparison import Comparison, Shown
from mnist_tasks.reporting.export_tables import Row
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.reporting.sweep_view import SweepView
from mnist_tasks.run_store import RECORD_NAME
from mnist_tasks.sweeping.summary import SUMMARY_NAME

if TYPE_CHECKING:
    from mnist_tasks.predicting.predictor import PredictedPicture, Predictor

PAGE_NAME = "report.html"
COMPARISON_NAME = "comparison.html"
SUMMARY = "GITHUB_STEP_SUMMARY"  # the file that GitHub Actions shows on the page of a job


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """The files that a report writes; `csv` is a folder."""

    html: Path | None = None
    markdown: Path | None = None
    csv: Path | None = None


def require_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Path] = ()) -> None:
    """Refuse files that would overwrite one another or an input, before there is work to lose.

    Parameters
    ----------
    outputs
        The files to write, by their options.

    Raises
    ------
    UsageError
        Two are one file, or one is also read; or it is a folder, a pipe or a device.
    """
    taken = {os.path.realpath(path): f"the input {path}" for path in inputs}
    for option, path in outputs.items():
        if path is None:
            continue
        remedy = f"Name another file with {option}."
        found = disk.obstacle(path) or taken.get(os.path.realpath(path))
        if found:
            raise UsageError(
                option,
                expected="a file of its own",
                found=f"{printable(str(path))}: {found}",
                remedy=remedy,
            )
        taken[os.path.realpath(path)] = f"the file of {option}"


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
        summary = os.environ.get(SUMMARY)
        if not summary or not _is_same(markdown, Path(summary)):
            _write(markdown, content, "--markdown")
        if summary:
            with disk.writable(Path(summary).parent, remedy=f"Unset {SUMMARY}."):
                _append(Path(summary), content)


def write_predictions(predictor: Predictor, found: Sequence[PredictedPicture], page: Path) -> None:
    """Write the HTML page of predictions for pictures.

    Raises
    ------
    EnvironmentProblemError
        It can't be written.
    """
    from mnist_tasks.reporting import html

    _write(page, html.predictions(predictor, found).encode(), "--html")


def default_page(shown: Shown, runs: Path) -> Path:
    """Return the default path of a page: beside a run's record, or in the folder of the runs."""
    return runs / COMPARISON_NAME if isinstance(shown, Comparison) else shown.folder / PAGE_NAME


def inputs(shown: Shown, names: Iterable[str]) -> list[Path]:
    """Return the files that a report reads: those of its runs, and those that the user named."""
    if isinstance(shown, SweepView):
        folders = [(record, shown.folder / record.id) for record in shown.sweep.records]
        models = [run_models.kept(record, folder) for record, folder in folders]
        return [shown.folder / SUMMARY_NAME, *(own / RECORD_NAME for _, own in folders), *models]
    views = (shown,) if isinstance(shown, RunView) else shown.views
    named = [Path(name) for name in names if os.path.isfile(name)]  # noqa: PTH113 - of any length
    records = [view.folder / RECORD_NAME for view in views]
    return [*named, *records, *(run_models.kept(view.record, view.folder) for view in views)]


def write_report(shown: Shown, wanted: ReportFiles) -> None:
    """Write the report of a run, of a comparison or of a sweep.

    Raises
    ------
    EnvironmentProblemError
        A file can't be written.
    """
    if wanted.html:
        from mnist_tasks.reporting import html

        page = html.page(shown)
        own = None if isinstance(shown, Comparison) else shown.folder
        _write(wanted.html, page.encode(), "--html", run=own)
    if wanted.markdown:
        from mnist_tasks.reporting import markdown

        _write(wanted.markdown, markdown.report(shown).encode(), "--markdown")
    if wanted.csv:
        export_tables.write(export_tables.of_report(shown), wanted.csv)


@dataclass(frozen=True, kw_only=True)
class ReportDocument:
    """A report for programs: of a run, of the check of a model that no run made, or of several.

    Attributes
    ----------
    compared
        The runs of a comparison.
    sweep
        The folder of a sweep, whose settings and runs are in `tables`.
    looks
        How many models were compared on the test images; ``None`` if none of these was evaluated
        on them.
    tables
        Everything that the page shows or plots, by name.
    skipped
        Why each other file or folder beside the records is none.
    written
        The path of each file written, by its option.
    """

    run: RunRecord | None = None
    check: Check | None = None
    compared: tuple[RunRecord, ...] = ()
    sweep: str | None = None
    looks: Looks | None = None
    tables: dict[str, list[Row]]
    skipped: tuple[str, ...]
    written: dict[str, str]


def report_document(shown: Shown, wanted: ReportFiles) -> ReportDocument:
    """Return a report for programs, and the files that were written."""
    record = shown.record if isinstance(shown, RunView) else None
    is_run = record is not None and bool(record.epochs)
    if isinstance(shown, SweepView):
        skipped = shown.sweep.skipped
    else:
        skipped = (shown if isinstance(shown, RunView) else shown.views[0]).stored_runs.skipped
    return ReportDocument(
        run=record if is_run else None,
        check=record.check if record and not is_run else None,
        compared=tuple(shown.records) if isinstance(shown, Comparison) else (),
        sweep=str(shown.folder) if isinstance(shown, SweepView) else None,
        looks=shown.looks,
        tables=export_tables.of_report(shown),
        skipped=tuple(skipped),
        written={name: str(path) for name, path in asdict(wanted).items() if path},
    )


def _write(path: Path, content: bytes, option: str, *, run: Path | None = None) -> None:
    """Write a file and create its folder, unless that is the folder of a run.

    The run may have been deleted, and its folder must not come back without its record.
    """
    folder = run.parent if run == path.parent else path.parent
    with disk.writable(folder, remedy=f"Name another file with {option}."):
        disk.write(path, content)


def _append(path: Path, content: bytes) -> None:
    """Append a document to a file, and first the line end that its last line may lack."""
    before = b""
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            before = file.read()
    disk.append(path, (b"" if before in (b"", b"\n") else b"\n") + content)


def _is_same(path: Path, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)
