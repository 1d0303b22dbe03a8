"""A run in sentences and named values, for the page and for Markdown. Nothing is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mnist_tasks import dataset_info
from mnist_tasks.check_records import Check
from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.records import Epoch, Machine, RunRecord
from mnist_tasks.reporting import run_summary
from mnist_tasks.reporting.formatting import (
    ABSENT,
    count,
    level,
    percent,
    percent_range,
    plural,
    seconds,
    speed,
)
from mnist_tasks.reporting.statuses import STATUSES

TRAINERS = {"fast": "the fast trainer", "fit": "Keras's fit"}
FAULTS = {
    "Not passed": ("failed", "not measured"),
    "Inconclusive, could be slightly better or worse": ("inconclusive",),
}
RUN_COLUMNS = ("run", "recipe", "seed", "parameters", "accuracy", "contract", "seconds")


class KeyFigure(NamedTuple):
    """A number shown in large type, with its name and a note."""

    name: str
    value: str
    note: str


class NamedValues(NamedTuple):
    """Names and values under a title; `kind` is ``hash`` if the values are hashes."""

    title: str
    rows: Mapping[str, str]
    kind: str = ""


def headline(record: RunRecord) -> str:
    """Return the verdict as a sentence."""
    return f"{STATUSES[run_summary.status(record)].sentence}."


def contract(source: str | None) -> str:
    """Return which contract a model was checked against: the file that it was read from."""
    return source or "the default contract"


def lead(record: RunRecord) -> str:
    """Return what was trained, its accuracy and the clauses that did not pass."""
    trained = subject(record)
    if record.epochs:
        epochs = plural(len(record.epochs), "epoch")
        trained += f", trained for {epochs} on {images(record)},"
    metrics = run_summary.metrics(record)
    if record.check is None:
        return f"{trained} has not been evaluated against the contract."
    if metrics is None:
        result = f"{trained} made no predictions for the test images."
    else:
        result = (
            f"{trained} classified {metrics.correct:,} of {metrics.images:,} test images "
            f"correctly: {percent(metrics.accuracy)} ({interval(record)})."
        )
    for title, statuses in FAULTS.items():
        faults = "; ".join(
            f"{clause.name} must be {clause.bound}, found: {clause.found}"
            for clause in record.check.verdict.clauses
            if clause.status in statuses
        )
        result += f" {title}: {faults}." if faults else ""
    return result


def subject(record: RunRecord) -> str:
    """Return what was trained: a recipe, the user's own network, or the model of a script."""
    name = record.recipe.get("name")
    if not record.epochs:
        return f"The model {name}"
    return f"The model of {name}" if record.script else f"The {kind(record)} {name}"


def interval(record: RunRecord) -> str:
    """Return the interval of the accuracy and its confidence."""
    ends = percent_range(run_summary.interval(record))
    return f"{level(run_summary.confidence(record))} interval {ends}"


def key_figures(record: RunRecord) -> tuple[KeyFigure, ...]:
    """Return the four most important numbers of a run."""
    accuracy = KeyFigure("Test accuracy", ABSENT, "not measured")
    wrong = KeyFigure("Wrong", ABSENT, "not measured")
    if (metrics := run_summary.metrics(record)) is not None:
        accuracy = KeyFigure("Test accuracy", percent(metrics.accuracy), interval(record))
        images = f"of {metrics.images:,} test images"
        wrong = KeyFigure("Wrong", count(run_summary.wrong(metrics)), images)
    operations = run_summary.operations(record)
    cost = f"{count(operations)} operations per image"
    size = cost if operations else f"{record.model.bytes:,} bytes on disk"
    parameters = KeyFigure("Parameters", count(record.model.parameters), size)
    if not record.epochs:
        return accuracy, wrong, parameters
    duration = f"{seconds(run_summary.total_seconds(record))} s"
    pace = f"{rate(record.epochs[-1])} on {device(record.machine)}"
    return accuracy, wrong, parameters, KeyFigure("Training", duration, pace)


def row(run: ListedRun) -> dict[str, str]:
    """Return a run as one row of a list of runs, by column."""
    accuracy = percent(run.accuracy)
    return {
        "run": run.id,
        "recipe": run.recipe,
        "seed": seed(run),
        "parameters": count(run.parameters),
        "accuracy": f"val {accuracy}" if run.evaluated_on == "validation" else accuracy,
        "contract": run_summary.status(run),
        "seconds": seconds(run.seconds),
    }


def rows(runs: Sequence[ListedRun]) -> list[dict[str, str]]:
    """Return runs as rows of a list, which names their data sets unless there is only one."""
    if len({run.dataset_title for run in runs}) < 2:
        return [row(run) for run in runs]
    return [{**row(run), "data set": run.dataset_title} for run in runs]


def provenance(record: RunRecord) -> tuple[NamedValues, ...]:
    """Return what is needed to reproduce a run: its settings, machine, versions and hashes."""
    machine = record.machine
    rows = {
        "device": device(machine),
        "threads": f"{machine.threads} of {plural(machine.cores, 'core')}",
        "platform": machine.platform,
        **machine.versions,
    }
    source = record.network_source
    network = {source.path or source.function: source.sha256} if source else {}
    hashes = {record.model.path: record.model.sha256, **network, **record.data}
    if record.script is not None:
        hashes[record.script.path or "notebook"] = record.script.sha256
    if not record.epochs:
        return (NamedValues("SHA-256", hashes, "hash"),)
    return (
        NamedValues("Settings", _settings(record)),
        NamedValues("Machine", rows),
        NamedValues("SHA-256", hashes, "hash"),
    )


def libraries(check: Check) -> str:
    """Return which Keras wrote the model file and which ran it; empty for an older record."""
    if check.keras is None:
        return ""
    by = f"written by Keras {check.keras_version}, " if check.keras_version else ""
    return f"{by}run with {check.keras}"


def device(machine: Machine) -> str:
    """Return the device of a run, with its replicas and precision unless they are the defaults."""
    parts = [machine.device]
    if machine.replicas > 1:
        parts.append(f"{machine.replicas} replicas")
    if machine.precision != "float32":
        parts.append(machine.precision)
    return ", ".join(parts)


def kind(record: RunRecord) -> str:
    """Return what a run trained: ``recipe``, ``network``, or what a ``script`` made."""
    if record.script is not None:
        return "script"
    return "network" if record.network_source else "recipe"


def made_with(record: RunRecord) -> str:
    """Return the recipe, network or script of a run, and its seed if it is known."""
    name = str(record.recipe["name"])
    return name if record.seed is None else f"{name}, seed {record.seed}"


def images(record: RunRecord) -> str:
    """Return the images that a run was trained on, with their data set unless it is MNIST."""
    is_mnist = record.dataset == dataset_info.MNIST
    source = "" if is_mnist else f" of {record.dataset.title}"
    if record.limit:
        return f"the first {record.limit:,} images{source}"
    first = record.epochs[0] if record.epochs else None
    if first is None or first.images_per_second is None:
        return f"its images{source}" if record.script else f"no images{source}"
    return f"{round(first.seconds * first.images_per_second):,} images{source}"


def seed(run: RunRecord | ListedRun) -> str:
    """Return the seed of a run, or a dash."""
    return ABSENT if run.seed is None else str(run.seed)


def rate(epoch: Epoch) -> str:
    """Return the speed of an epoch."""
    return f"{speed(epoch.images_per_second)} images/s"


def _settings(record: RunRecord) -> dict[str, str]:
    rows = {kind(record): str(record.recipe.get("name"))}
    if source := record.network_source:
        rows |= {"file": source.path or "none", "function": source.function}
        rows["trainer"] = TRAINERS[record.trainer]
    for key, value in record.recipe.items():
        if key == "layers" and isinstance(value, list):
            rows |= {f"layer {n}": _layer(layer) for n, layer in enumerate(value, start=1)}
        elif key != "name":
            rows[key.replace("_", " ")] = str(value)
    data = {"data set": record.dataset.title, "images": images(record)}
    if record.validation:
        data["validation images"] = f"the last {record.validation:,} training images"
    return {**rows, "seed": seed(record), **data}


def _layer(layer: Any) -> str:
    if not isinstance(layer, dict):
        return str(layer)
    rest = ", ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in layer.items() if key != "layer"
    )
    return f"{layer.get('layer')}: {rest}" if rest else str(layer.get("layer"))
