"""What `doctor` prints: a line for each finding, with the remedy below a problem."""

from __future__ import annotations

from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mnist_tasks.environment.diagnosis import Diagnosis, Finding
from mnist_tasks.errors import printable

STYLES = {"ok": "green", "warning": "bold yellow", "error": "bold red"}
LONGEST = 400  # characters, so that findings and remedies are rarely cut


def diagnosis(found: Diagnosis) -> RenderableType:
    """Return all findings by topic, then the summary."""
    name_width = max(len(finding.name) for finding in found.findings)
    parts: list[RenderableType] = []
    for topic, findings in groupby(found.findings, key=lambda finding: finding.topic):
        parts += [Text(topic[0].upper() + topic[1:], "bold"), _lines(list(findings), name_width)]
    return Group(*parts, Text(), Text(found.summary, STYLES[found.status]))


def _lines(findings: list[Finding], name_width: int) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=1)
    grid.add_column(min_width=max(map(len, STYLES)), no_wrap=True)
    grid.add_column(min_width=name_width, no_wrap=True)
    grid.add_column(overflow="fold")
    for finding in findings:
        grid.add_row(
            "", Text(finding.status, STYLES[finding.status]), Text(finding.name), _cell(finding)
        )
    return grid


def _cell(finding: Finding) -> Text:
    cell = Text(printable(finding.found, limit=LONGEST))
    for line in finding.details:
        cell.append(f"\n{printable(line, limit=LONGEST)}", "dim")
    if finding.remedy:
        cell.append(f"\nwhat to do: {printable(finding.remedy, limit=LONGEST)}", "cyan")
    return cell
