"""Write the outcome of a check where other programs look for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import disk

if TYPE_CHECKING:
    from mnist_tasks.checking.results import CheckResults

SUMMARY = "GITHUB_STEP_SUMMARY"  # the file that GitHub Actions shows on the page of a job


def write(
    results: CheckResults, *, junit: Path | None = None, markdown: Path | None = None
) -> None:
    """Write the files that are asked for, each whole or not at all.

    Parameters
    ----------
    markdown
        It is appended to the job's summary too, where GitHub Actions runs this.

    Raises
    ------
    EnvironmentProblemError
        A file can't be written.
    """
    if junit is not None:
        from mnist_tasks.reporting import junit as xml

        _write(junit, xml.document(results), "--junit")
    if markdown is not None:
        from mnist_tasks.reporting import verdict_markdown

        content = verdict_markdown.document(results).encode()
        _write(markdown, content, "--markdown")
        if summary := os.environ.get(SUMMARY):
            with (
                disk.writable(Path(summary).parent, remedy=f"Unset {SUMMARY}."),
                Path(summary).open("ab") as file,
            ):
                file.write(content)


def _write(path: Path, content: bytes, option: str) -> None:
    with disk.writable(path.parent, remedy=f"Name another file with {option}."):
        disk.write(path, content)
