"""A run in sentences and named values, for the page and for Markdown. Nothing is escaped here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnist_tasks.reporting import run_summary
from mnist_tasks.reporting.formatting import ABSENT, count, percent, percent_range, plural
from mnist_tasks.reporting.statuses import STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mnist_tasks.records import Machine, RunRecord


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    """A number shown in large type, with its name and a note."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, kw_only=True)
class NamedValues:
    """Names and values under a title; `kind` is ``hash`` if the values are hashes."""

    title: str
    rows: Mapping[str, str]
    kind: str = ""


def headline(record: RunRecord) -> str:
    """Return the verdict as a sentence."""
    return f"{STATUSES[run_summary.status(record)].sentence}."


def lead(record: RunRecord) -> str:
    """Return what was trained, its accuracy and the clauses that did not pass."""
    epochs = plural(len(record.epochs), "epoch")
    trained = f"The recipe {record.recipe.get('name')}, trained for {epochs} on {images(record)}"
    metrics = run_summary.metrics(record)
    if record.check is None:
        return f"{trained}, has not been evaluated against the contract."
    if metrics is None:
        result = f"{trained}, gave no predictions for the test images."
    else:
        interval = percent_range(run_summary.interval(metrics))
        result = (
            f"{trained}, classified {metrics.correct:,} of {metrics.images:,} test images "
            f"correctly: {metrics.accuracy:.2%} (95% interval {interval})."
        )
    faults = "; ".join(
        f"{clause.name} must be {clause.bound}, found: {clause.found}"
        for clause in record.check.verdict.clauses
        if clause.status != "passed"
    )
    return f"{result} What did not pass: {faults}." if faults else result


def key_figures(record: RunRecord) -> tuple[KeyFigure, ...]:
    """Return the four most important numbers of a run."""
    operations = run_summary.operations(record)
    cost = f"{count(operations)} operations per image"
    speed = record.epochs[-1].images_per_second
    accuracy, accuracy_note, wrong, wrong_note = ABSENT, "not measured", ABSENT, "not measured"
    if (metrics := run_summary.metrics(record)) is not None:
        accuracy = percent(metrics.accuracy)
        accuracy_note = f"95% interval {percent_range(run_summary.interval(metrics))}"
        wrong = count(run_summary.wrong(metrics))
        wrong_note = f"of {metrics.images:,} test images"
    return (
        KeyFigure(name="Test accuracy", value=accuracy, note=accuracy_note),
        KeyFigure(name="Wrong", value=wrong, note=wrong_note),
        KeyFigure(
            name="Parameters",
            value=f"{record.model.parameters:,}",
            note=cost if operations else f"{record.model.bytes:,} bytes on disk",
        ),
        KeyFigure(
            name="Training",
            value=f"{run_summary.total_seconds(record):.1f} s",
            note=f"{speed:,.0f} images/s on {device(record.machine)}",
        ),
    )


def provenance(record: RunRecord) -> tuple[NamedValues, ...]:
    """Return what is needed to reproduce a run: its settings, machine, versions and hashes."""
    machine = record.machine
    return (
        NamedValues(title="Settings", rows=_settings(record)),
        NamedValues(
            title="Machine",
            rows={
                "device": device(machine),
                "threads": f"{machine.threads} of {plural(machine.cores, 'core')}",
                "platform": machine.platform,
                **machine.versions,
            },
        ),
        NamedValues(
            title="SHA-256",
            rows={record.model.path: record.model.sha256, **record.data},
            kind="hash",
        ),
    )


def device(machine: Machine) -> str:
    """Return the device of a run, with its replicas and its precision if they are not the usual."""
    parts = [machine.device]
    if machine.replicas > 1:
        parts.append(f"{machine.replicas} replicas")
    if machine.precision != "float32":
        parts.append(machine.precision)
    return ", ".join(parts)


def images(record: RunRecord) -> str:
    """Return the images that a run was trained on."""
    return f"the first {record.limit:,} images" if record.limit else "60,000 images"


def _settings(record: RunRecord) -> dict[str, str]:
    rows = {"recipe": str(record.recipe.get("name"))}
    for key, value in record.recipe.items():
        if key == "layers" and isinstance(value, list):
            rows |= {f"layer {n}": _layer(layer) for n, layer in enumerate(value, start=1)}
        elif key != "name":
            rows[key.replace("_", " ")] = str(value)
    return {**rows, "seed": str(record.seed), "images": images(record)}


def _layer(layer: Any) -> str:
    if not isinstance(layer, dict):
        return str(layer)
    rest = ", ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in layer.items() if key != "layer"
    )
    return f"{layer.get('layer')}: {rest}" if rest else str(layer.get("layer"))
