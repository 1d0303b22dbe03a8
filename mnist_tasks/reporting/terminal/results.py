"""The tables that the four verbs print. Text from a file is shown as text, never as markup."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.reporting import clause_text, summary, text
from mnist_tasks.reporting.terminal import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from mnist_tasks.data.store import Fetched
    from mnist_tasks.records import Check, Metrics, RunRecord, Trial
    from mnist_tasks.verdict import Clause, Verdict
    from mnist_tasks.vetting.inspection import VettedFile

HASH_DIGITS = 16  # what a table shows of a hash; `--json` has all 64


def fetched(result: Fetched) -> RenderableType:
    """Show the four files, and what went wrong on the way."""
    table = tables.table("file", "bytes", "SHA-256", "source", title="MNIST", right={"bytes"})
    for file in result.files:
        tables.add_row(
            table,
            file.name,
            f"{file.bytes:,}",
            f"{file.sha256[:HASH_DIGITS]}…",
            file.source,
        )
    done = "already there, verified" if result.was_cached else "fetched and verified"
    lines = [Text(f"{done}: {result.folder}", overflow="fold")]
    lines += [Text(f"on the way: {printable(each)}", style="yellow") for each in result.setbacks]
    return Group(table, *lines)


def trained(record: RunRecord) -> RenderableType:
    """Show what a training did and where it left its model."""
    last = record.epochs[-1]
    rows = {
        "recipe": f"{record.recipe['name']}, seed {record.seed}",
        **_trial(record.trial),
        "trained on": f"{text.images(record)}, {text.plural(len(record.epochs), 'epoch')}",
        "training accuracy": f"{last.accuracy:.2%} (running mean of the last epoch)",
        "training loss": f"{last.loss:.4f}",
        "speed": f"{last.images_per_second:,.0f} images/s on {_device(record)}",
        "seconds": _seconds(record.seconds),
        "parameters": f"{record.model.parameters:,}",
        "model": f"{record.model.path} ({record.model.bytes:,} bytes)",
        "SHA-256": f"{record.model.sha256[:HASH_DIGITS]}…",
        "run": record.id,
    }
    return _facts("Training", rows)


def checked(check: Check) -> RenderableType:
    """Show the model's summary and the verdict on every clause."""
    layers = tables.table(
        "layer", "kind", "output shape", "parameters", title="Model", right={"parameters"}
    )
    for layer in check.layers:
        tables.add_row(
            layers,
            layer.name,
            layer.kind,
            str(layer.output_shape),
            f"{layer.parameters:,}",
        )
    totals = (
        f"parameters: {check.model.parameters:,} in total, "
        f"{check.trainable_parameters:,} trainable, "
        f"{check.non_trainable_parameters:,} non-trainable"
    )
    return Group(layers, Text(totals), Text(), verdict(check.verdict, check.model.path))


def vetted(found: tuple[str, VettedFile]) -> RenderableType:
    """Show what a model file declares, after it passed the static pass."""
    path, facts = found
    kinds = ", ".join(printable(kind) for kind in facts.layers)
    rows = {
        "format": f"{facts.format}, {facts.bytes:,} bytes",
        "layers": kinds,
        "weights": f"{facts.weights:,}",
        "SHA-256": facts.sha256,
    }
    return Group(
        _facts(printable(path), rows),
        Text("Nothing unsafe in it; whether it is any good, `mnist-tasks check` tells.", "green"),
    )


def verdict(found: Verdict, path: str) -> RenderableType:
    """Show each clause with its bound, what was found, and its verdict; then the whole."""
    table = tables.table("clause", "bound", "found", "verdict", title="Contract")
    for clause in found.clauses:
        tables.add_row(
            table,
            clause.name,
            clause.bound,
            _found(clause),
            Text(clause.status, tables.STYLES[clause.status]),
        )
    whole = Text(clause_text.SENTENCES[found.status], tables.STYLES[found.status])
    return Group(table, whole.append(f": {printable(path)}", "default"))


def _found(clause: Clause) -> Text:
    found = Text(printable(clause.found))
    for line in clause_text.details(clause):
        found.append(f"\n{printable(line)}", "dim")
    return found


def run(record: RunRecord) -> RenderableType:
    """Show a whole run: its training, its check, and how each digit fared."""
    parts: list[RenderableType] = [trained(record)]
    if record.check is None:
        command = f"mnist-tasks check {shlex.quote(record.model.path)}"
        parts.append(Text(printable(f"not checked yet: run `{command}`", limit=1000), "yellow"))
        return Group(*parts)
    parts += [Text(), verdict(record.check.verdict, record.check.model.path)]
    if record.check.metrics is not None:
        parts += [Text(), digits(record.check.metrics)]
    return Group(*parts)


def digits(metrics: Metrics) -> RenderableType:
    """Show precision, recall and the row of the confusion matrix of each digit."""
    numbers = [str(digit) for digit in range(len(metrics.confusion))]
    table = tables.table(
        "digit",
        "precision",
        "recall",
        *numbers,
        title=f"{metrics.images:,} test images: what was true (rows), what was said (columns)",
        right={"precision", "recall", *numbers},
        tight=True,
    )
    for score, row in zip(summary.by_digit(metrics), metrics.confusion, strict=True):
        cells = [
            Text(str(count), "green" if said == score.digit else "red" if count else "dim")
            for said, count in enumerate(row)
        ]
        tables.add_row(
            table,
            str(score.digit),
            text.percent(score.precision),
            text.percent(score.recall),
            *cells,
        )
    mistakes = ", ".join(
        f"{each.truth} taken for {each.predicted} ({each.count}×)"
        for each in summary.worst_confusions(metrics)
    )
    accuracy = f"accuracy {metrics.accuracy:.2%}, loss {metrics.loss:.4f}"
    wrong = metrics.images - metrics.correct
    return Group(
        table,
        Text(
            f"{accuracy}; {text.plural(wrong, 'mistake')}; the most frequent: {mistakes or 'none'}"
        ),
    )


def _facts(title: str, rows: Mapping[str, str]) -> Panel:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows.items():
        grid.add_row(name, Text(printable(value)))
    return Panel(grid, title=title, title_align="left", expand=False)


def _trial(trial: Trial | None) -> dict[str, str]:
    """Return what a run in a sweep was given beside its recipe, and how it did."""
    if trial is None:
        return {}
    given = " ".join(f"{name}={value}" for name, value in trial.settings.items())
    judged = f"{trial.metrics.images:,} {text.judge(trial.evaluated_on)}"
    shown = f"{trial.metrics.accuracy:.2%} of {judged}"
    return {"changed": given or "nothing", "in its sweep": shown}


def _device(record: RunRecord) -> str:
    machine = record.machine
    return f"{text.device(machine)}, {text.plural(machine.threads, 'thread')}"


def _seconds(phases: Mapping[str, float]) -> str:
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in phases.items())
    return f"{sum(phases.values()):.1f} ({parts})"
