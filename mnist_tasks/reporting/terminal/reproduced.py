"""What `reproduce` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.reporting import formatting
from mnist_tasks.reporting.formatting import HASH_DIGITS
from mnist_tasks.reporting.statuses import STATUSES
from mnist_tasks.reporting.terminal import tables

if TYPE_CHECKING:
    from mnist_tasks.reproducing.accuracies import Accuracies
    from mnist_tasks.reproducing.results import Reproduction

UNKNOWN = "not known"


def reproduced(found: Reproduction) -> RenderableType:
    """Show the model, the accuracy and what differs, as recorded and as found; the result last."""
    rows = [
        (
            "model SHA-256",
            *(f"{each[:HASH_DIGITS]}…" for each in (found.recorded_sha256, found.sha256)),
        ),
        ("training loss", formatting.loss(found.recorded_loss), formatting.loss(found.loss)),
    ]
    if found.accuracies:
        rows.append(_accuracy(found.accuracies))
    rows += [
        (f"{each.what} (differs)", each.recorded or UNKNOWN, each.found or UNKNOWN)
        for each in found.differences
    ]
    title = f"Run {found.run}: {found.recipe}, seed {found.seed}"
    table = tables.table(("", "recorded", "found"), rows, title=title)
    style = STATUSES["passed" if found.reproduced else "failed"].style
    sentence = Text("Reproduced" if found.reproduced else "Not reproduced", style)
    sentence.append(f": {found.status}. {printable(found.reason, limit=1000)}", "default")
    return Group(table, sentence)


def _accuracy(found: Accuracies) -> tuple[str, str, str]:
    def shown(correct: int) -> str:
        return f"{formatting.percent(correct / found.images)} ({found.images - correct:,} wrong)"

    name = f"accuracy on {found.images:,} {found.measured_on} images"
    return name, shown(found.recorded), shown(found.found)
