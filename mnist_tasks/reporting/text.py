"""A run in plain words, for the page and for Markdown. Text from a record is left as it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mnist_tasks.reporting import summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mnist_tasks.records import Machine, RunRecord, Shape

HEADLINES = {
    "passed": "The contract holds.",
    "failed": "The contract does not hold.",
    "inconclusive": "Not enough evidence.",
    summary.UNCHECKED: "Not checked yet.",
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure worth large type, with its name and what to know of it."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Names and values under a title; `kind` is ``hash`` where they are hashes."""

    title: str
    rows: Mapping[str, str]
    kind: str = ""


def judge(evaluated_on: str) -> str:
    """Return which images a sweep judges by."""
    return "test images" if evaluated_on == "test" else "held-out training images"


def headline(record: RunRecord) -> str:
    """Return the verdict in a sentence."""
    return HEADLINES[summary.standing(record)]


def lead(record: RunRecord) -> str:
    """Return what was trained, how well it does and what is wrong with it, in two sentences."""
    epochs = plural(len(record.epochs), "epoch")
    trained = f"The recipe {record.recipe.get('name')}, trained for {epochs} on {images(record)}"
    metrics = summary.metrics(record)
    if record.check is None:
        return f"{trained}, has left a model that was not held against the contract."
    if metrics is None:
        said = f"{trained}, has left a model that could not be asked for predictions."
    else:
        said = (
            f"{trained}, gave {metrics.correct:,} of {metrics.images:,} test images their true "
            f"digit: {metrics.accuracy:.2%} (95% interval {between(summary.interval(metrics))})."
        )
    faults = "; ".join(
        f"{clause.name} must be {clause.bound}, found: {clause.found}"
        for clause in record.check.verdict.clauses
        if clause.status != "passed"
    )
    return f"{said} What is wrong: {faults}." if faults else said


def figures(record: RunRecord) -> tuple[Figure, ...]:
    """Return the four figures of a run that say the most."""
    metrics = summary.metrics(record)
    operations = summary.operations(record)
    speed = record.epochs[-1].images_per_second
    wrong = metrics.images - metrics.correct if metrics else 0
    return (
        Figure(
            name="Test accuracy",
            value=percent(metrics.accuracy if metrics else None),
            note=f"95% interval {between(summary.interval(metrics))}"
            if metrics
            else "not measured",
        ),
        Figure(
            name="Mistakes",
            value=f"{wrong:,}" if metrics else "–",
            note=f"of {metrics.images:,} test images" if metrics else "not measured",
        ),
        Figure(
            name="Parameters",
            value=f"{record.model.parameters:,}",
            note=f"{count(operations)} operations an image"
            if operations
            else f"{record.model.bytes:,} bytes on disk",
        ),
        Figure(
            name="Training",
            value=f"{summary.total_seconds(record):.1f} s",
            note=f"{speed:,.0f} images/s on {device(record.machine)}",
        ),
    )


def settings(record: RunRecord) -> dict[str, str]:
    """Return every setting of a run as a name and a value, its layers one by one."""
    rows = {"recipe": str(record.recipe.get("name"))}
    for key, value in record.recipe.items():
        if key == "layers" and isinstance(value, list):
            rows |= {f"layer {n}": _layer(layer) for n, layer in enumerate(value, start=1)}
        elif key != "name":
            rows[key.replace("_", " ")] = str(value)
    return {**rows, "seed": str(record.seed), "images": images(record)}


def origin(record: RunRecord) -> tuple[Facts, ...]:
    """Return where a run comes from: its settings, machine, versions and hashes."""
    machine = record.machine
    return (
        Facts(title="Settings", rows=settings(record)),
        Facts(
            title="Machine",
            rows={
                "device": device(machine),
                "threads": f"{machine.threads} of {plural(machine.cores, 'core')}",
                "platform": machine.platform,
                **machine.versions,
            },
        ),
        Facts(
            title="SHA-256",
            rows={record.model.path: record.model.sha256, **record.data},
            kind="hash",
        ),
    )


def device(machine: Machine) -> str:
    """Return what a run was computed on, and in how many replicas where there were several."""
    parts = [machine.device]
    if machine.replicas > 1:
        parts.append(f"{machine.replicas} replicas")
    if machine.precision != "float32":
        parts.append(machine.precision)
    return ", ".join(parts)


def images(record: RunRecord) -> str:
    """Return what a run was trained on."""
    return f"the first {record.limit:,} images" if record.limit else "60,000 images"


def between(ends: tuple[float, float]) -> str:
    """Return an interval of shares.

    >>> between((0.9886, 0.9924))
    '98.86% to 99.24%'
    """
    return f"{ends[0]:.2%} to {ends[1]:.2%}"


def percent(value: float | None, digits: int = 2) -> str:
    """Return a share in per cent, or a dash."""
    return "–" if value is None else f"{value:.{digits}%}"


def count(value: int | None) -> str:
    """Return a count with its thousands apart, or a dash."""
    return "–" if value is None else f"{value:,}"


def plural(number: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shape(value: Shape) -> str:
    """Return a layer's shape for one image.

    >>> shape((None, 10))
    '10'
    """
    return " × ".join(str(size) for size in value[1:])


def moment(text: str) -> str:
    """Return a record's time for people; what is none as it is.

    >>> moment("2026-11-22T15:15:24+00:00")
    '22 November 2026, 15:15 UTC'
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time.day} {time:%B %Y, %H:%M} {time.tzname() or ''}".rstrip()


def _layer(layer: Any) -> str:
    if not isinstance(layer, dict):
        return str(layer)
    rest = ", ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in layer.items() if key != "layer"
    )
    return f"{layer.get('layer')}: {rest}" if rest else str(layer.get("layer"))
