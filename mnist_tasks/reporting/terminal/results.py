"""What `fetch`, `train`, `check` and `vet` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mnist_tasks import dataset_info
from mnist_tasks.check_records import Check
from mnist_tasks.errors import Failure, printable
from mnist_tasks.records import RunRecord, Trial
from mnist_tasks.reporting import clause_text, formatting, run_text
from mnist_tasks.reporting.formatting import HASH_DIGITS
from mnist_tasks.reporting.statuses import STATUSES
from mnist_tasks.reporting.terminal import tables
from mnist_tasks.verdict import Clause
from mnist_tasks.vetting.isolation import protections

if TYPE_CHECKING:  # these are slow to import
    from mnist_tasks.checking.results import CheckResult, CheckResults
    from mnist_tasks.data.fetching import Fetched
    from mnist_tasks.vetting.inspection import VettedFile

MOST_EPOCHS = 8  # whose results a panel shows


def fetched(result: Fetched) -> RenderableType:
    """Show the data files, and the sources that failed."""
    columns = ("file", "bytes", "SHA-256", "source")
    rows = [
        (file.name, f"{file.bytes:,}", f"{file.sha256[:HASH_DIGITS]}…", file.source)
        for file in result.files
    ]
    table = tables.table(columns, rows, title="Data files", right={"bytes"})
    done = "already cached, verified" if result.was_cached else "fetched and verified"
    lines = [Text(f"{done}: {result.folder}", overflow="fold")]
    lines += [Text(f"failed before: {printable(each)}", style="yellow") for each in result.failures]
    return Group(table, *lines)


def _trainer(record: RunRecord) -> dict[str, str]:
    if record.network_source is None:
        return {}
    optimizer = record.recipe.get("optimizer", "an optimizer of its own")
    return {"trained with": f"{optimizer}, by {run_text.TRAINERS[record.trainer]}"}


def _validation(record: RunRecord) -> dict[str, str | tuple[str, ...]]:
    """Return the results on the validation images: the last ones, the best, and by epoch."""
    last = record.epochs[-1]
    if last.validation_loss is None and last.validation_accuracy is None:
        return {}
    results = f"accuracy {formatting.percent(last.validation_accuracy)}"
    if last.validation_loss is not None:
        results += f", loss {formatting.loss(last.validation_loss)}"
    if record.validation:
        results += f", on {record.validation:,} images"
    found = {
        each.epoch: each.validation_accuracy
        for each in record.epochs
        if each.validation_accuracy is not None
    }
    if len(found) < 2:
        return {"validation": results}
    newest = [formatting.percent(found[epoch]) for epoch in list(found)[-MOST_EPOCHS:]]
    by_epoch = f"by epoch: {'… ' * (len(found) > len(newest))}{', '.join(newest)}"
    best = max(found, key=lambda epoch: found[epoch])
    note = (
        ""
        if best == last.epoch
        else f"; the best is {formatting.percent(found[best])}, in epoch {best}"
    )
    return {"validation": (results, by_epoch + note)}


def trained(record: RunRecord) -> RenderableType:
    """Show a training and its model."""
    last, machine = record.epochs[-1], record.machine
    device = f"{run_text.device(machine)}, {formatting.plural(machine.threads, 'thread')}"
    epochs = formatting.plural(len(record.epochs), "epoch")
    rows: dict[str, str | tuple[str, ...]] = {
        run_text.kind(record): run_text.made_with(record),
        **_trainer(record),
        **_trial(record.trial),
        "trained on": f"{run_text.images(record)}, {epochs}",
        "training accuracy": f"{formatting.percent(last.accuracy)} "
        "(running mean of the last epoch)",
        "training loss": formatting.loss(last.loss),
        **_validation(record),
        "speed": f"{run_text.rate(last)} on {device}",
        "seconds": _seconds(record.seconds),
        "parameters": f"{record.model.parameters:,}",
        "model": f"{record.model.path} ({record.model.bytes:,} bytes)",
        "SHA-256": f"{record.model.sha256[:HASH_DIGITS]}…",
        "run": record.id,
    }
    return tables.panel("Training", rows)


def checked(check: Check) -> RenderableType:
    """Show a model's layers and its verdict."""
    columns = ("layer", "kind", "output shape", "parameters")
    rows = [
        (layer.name, layer.kind, str(layer.output_shape), f"{layer.parameters:,}")
        for layer in check.layers
    ]
    layers = tables.table(columns, rows, title="Model", right={"parameters"})
    totals = (
        f"parameters: {check.model.parameters:,} in total, "
        f"{check.trainable_parameters:,} trainable, "
        f"{check.non_trainable_parameters:,} non-trainable"
    )
    counted = check.trainable_parameters + check.non_trainable_parameters
    if others := check.model.parameters - counted:
        totals += f", {others:,} other"
    lines = [Text(line) for line in (totals, run_text.libraries(check), _images(check)) if line]
    return Group(layers, *lines, Text(), verdict(check))


def _images(check: Check) -> str:
    """Name the data set unless it is MNIST."""
    title = printable(check.dataset.title)
    return "" if check.dataset == dataset_info.MNIST else f"test images: {title}"


def summary(results: CheckResults) -> RenderableType:
    """Show all results of a check, the worst last."""
    rows = [
        (each.path, _accuracy(each.check), tables.status(each.status), _reason(each))
        for each in sorted(results.checks, key=_severity)
    ]
    title = f"{len(rows)} models. Contract: {run_text.contract(results.contract)}"
    return tables.table(
        ("model", "accuracy", "status", "reason"), rows, title=title, right={"accuracy"}
    )


def _severity(result: CheckResult) -> tuple[int, bool]:
    """Return what results are sorted by: an inconclusive verdict is better than a failed one."""
    return result.exit_code, result.status == "failed"


def _accuracy(check: Check | None) -> str:
    return formatting.percent(check.metrics.accuracy if check and check.metrics else None)


def _reason(result: CheckResult) -> str:
    """Return the clauses that did not pass, or why there is no verdict."""
    if result.check is None:
        return result.error.found if result.error else ""
    if result.self_test is not None and not result.self_test.passed:
        return "its self-test found models that the contract misses"
    clauses = result.check.verdict.clauses
    return ", ".join(clause.name for clause in clauses if clause.status != "passed")


def vetted(path: str, file: VettedFile) -> RenderableType:
    """Show the contents of a model file that passed the static check."""
    on, others = protections.summary(file.protections)
    rows: dict[str, str | tuple[str, ...]] = {
        "format": f"{file.format}, {file.bytes:,} bytes",
        "written by": f"Keras {file.keras_version}" if file.keras_version else "not stated",
        "layers": ", ".join(printable(kind) for kind in file.layers),
        "parameters": f"{file.parameters:,}",
        "isolation": "; ".join([on, *map(printable, others)]),
        "SHA-256": file.sha256,
        "checked": file.checked,
        "unchecked": file.not_checked,  # a longer word would break the SHA-256
    }
    if not file.keras_opens_name:
        rows["name"] = f"Keras opens it only if it is renamed to end in .{file.format}"
    return Group(
        tables.panel(printable(path), rows),
        Text("Nothing in it runs code or reads other files. ", "green").append(
            "Run `mnist-tasks check` to evaluate the model.", "default"
        ),
    )


def all_vetted(found: Sequence[tuple[str, Failure | None]]) -> RenderableType:
    """Show the result for each of several files, with the error of those that were not vetted."""
    rows = [
        (path, tables.status("error" if error else "passed"), error.found if error else "")
        for path, error in sorted(found, key=lambda each: each[1] is not None)
    ]
    title = f"{len(rows)} models"
    return tables.table(("model", "static check", "reason"), rows, title=title)


def verdict(check: Check) -> RenderableType:
    """Show each clause with its bound, the value found and its status; then the verdict."""
    rows = [
        (clause.name, clause.bound, _found(clause), tables.status(clause.status))
        for clause in check.verdict.clauses
    ]
    title = f"Contract: {run_text.contract(check.contract)}"
    table = tables.table(("clause", "bound", "found", "status"), rows, title=title)
    appearance = STATUSES[check.verdict.status]
    sentence = Text(appearance.sentence, appearance.style)
    return Group(table, sentence.append(f": {printable(check.model.path)}", "default"))


def _found(clause: Clause) -> Text:
    found = Text(printable(clause.found))
    for line in clause_text.details(clause):
        found.append(f"\n{printable(line)}", "dim")
    return found


def _trial(trial: Trial | None) -> dict[str, str]:
    """Return a run's settings in its sweep, and its accuracy there."""
    if trial is None:
        return {}
    settings = " ".join(f"{name}={value}" for name, value in trial.settings.items())
    images = f"{trial.metrics.images:,} {trial.evaluated_on} images"
    accuracy = f"{formatting.percent(trial.metrics.accuracy)} of {images}"
    return {"settings": settings or "those of the recipe", "in its sweep": accuracy}


def _seconds(phases: Mapping[str, float]) -> str:
    parts = ", ".join(f"{name} {formatting.seconds(seconds)}" for name, seconds in phases.items())
    return f"{formatting.seconds(sum(phases.values()))} ({parts})"
