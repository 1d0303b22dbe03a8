"""The self-test of a contract: prove that it fails models that are known to be worse.

Whoever relies on a gate wants to know that it closes. The model that passed the contract is the
sound one; models with a known fault are derived from it (`faults`), and evaluated like any other.

A gross fault must be failed, whatever the contract says. A small loss may be one that the
contract allows: `accuracy_above` is a floor, and promises nothing about a model above it. Only
a baseline promises that a model is no worse than another, beyond its tolerance; then a loss that
exceeds the tolerance must be failed, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import structs

from mnist_tasks import stats
from mnist_tasks.checking import clauses, faults, metrics, paired_test
from mnist_tasks.checking.checker import Checker
from mnist_tasks.checking.clauses import TEST_IMAGES, Measurements
from mnist_tasks.checking.contract import Contract
from mnist_tasks.checking.faults import Fault
from mnist_tasks.checking.results import PlantedModel, PlantedStatus, SelfTest
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, UsageError
from mnist_tasks.verdict import DEFAULT_CONFIDENCE, Verdict
from mnist_tasks.vetting.inspection import Inspection
from mnist_tasks.vetting.protocol import Planting

#: Clauses that no fault can fail, as a planted model has the structure of the sound one.
STRUCTURE = frozenset(
    {"parameters", "input shape", "output shape", "file size", "latency", "required layers"}
)
_DECIMALS = 10_000  # of the bounds that are suggested


def run(checker: Checker, path: Path, *, sha256: str) -> SelfTest:
    """Plant faults in a model that passed the contract, and evaluate each worse model.

    Parameters
    ----------
    sha256
        Of the model file that passed.

    Raises
    ------
    InputRefusedError
        The file is another one now, or as `Checker.check`.
    EnvironmentProblemError
        As `Checker.check`; or the predictions take too long.
    """
    planting = Planting(labels=checker.data.labels.tobytes(), losses=faults.LOSSES)
    inspection = checker.inspect(path, planting=planting)
    if inspection.sha256 != sha256:
        raise InputRefusedError(
            str(path),
            expected=f"the model that passed the contract, SHA-256 {sha256}",
            found=f"SHA-256 {inspection.sha256}",
            remedy="Rerun when nothing writes to the file.",
        )
    if inspection.planted is None:
        raise EnvironmentProblemError(
            str(path),
            expected="predictions of the model, to plant faults in",
            found=inspection.no_predictions_reason or "no predictions",
        )
    return evaluate(checker, inspection)


def evaluate(checker: Checker, inspection: Inspection) -> SelfTest:
    """Evaluate the worse models that follow from an inspection with planted faults."""
    data, sound = checker.data, checker.measure(inspection)
    planted = faults.plant(
        inspection,
        data.labels,
        data.info.classes,
        learned_test=checker.contract.accuracy_below is not None,
    )
    models = tuple(_evaluate(checker, sound, fault) for fault in planted)
    used = {name for each in models if each.accuracy is not None for name in each.clauses}
    unused = [
        clause.name
        for clause in _verdict(checker, checker.contract, sound).clauses
        if clause.name not in used
    ]
    return SelfTest(
        passed=not any(each.status == "missed" for each in models),
        accuracy=sound.metrics[TEST_IMAGES].accuracy,
        images=len(data.labels),
        models=models,
        untested=tuple(name for name in unused if name in STRUCTURE),
        idle=tuple(name for name in unused if name not in STRUCTURE),
    )


def _evaluate(checker: Checker, sound: Measurements, fault: Fault) -> PlantedModel:
    if fault.inspection is None:
        note = "no noise in its weights costs that much accuracy"
        return PlantedModel(fault=fault.name, status="not planted", note=note)
    measured = checker.measure(fault.inspection)
    found = measured.metrics.get(TEST_IMAGES)
    accuracy = found.accuracy if found else None
    verdict = _verdict(checker, checker.contract, measured)
    if names := _newly_failed(_verdict(checker, checker.contract, sound), verdict):
        return PlantedModel(fault=fault.name, status="failed", accuracy=accuracy, clauses=names)
    status: PlantedStatus = "missed" if fault.gross or _breaks_promise(verdict) else "let through"
    note = _remedy(checker, sound, measured)
    may_be_chance = fault.may_be_harmless or not fault.gross
    if may_be_chance and not _is_shown_worse(checker, sound, measured):
        status = "not planted" if fault.may_be_harmless else status
        note = f"not shown to be worse on these {len(checker.data.labels):,} images"
    return PlantedModel(fault=fault.name, status=status, accuracy=accuracy, note=note)


def _verdict(checker: Checker, contract: Contract, measured: Measurements) -> Verdict:
    return clauses.evaluate(contract, measured, checker.data.info)


def _newly_failed(sound: Verdict, planted: Verdict) -> tuple[str, ...]:
    pairs = zip(sound.clauses, planted.clauses, strict=True)
    return tuple(
        after.name
        for before, after in pairs
        if before.status == "passed" and after.status != "passed"
    )


def _not_passed(verdict: Verdict) -> list[str]:
    return [clause.name for clause in verdict.clauses if clause.status != "passed"]


def _breaks_promise(verdict: Verdict) -> bool:
    """Whether a model lost more to the baseline than the tolerance."""
    return any(
        clause.name == paired_test.NAME
        and clause.found_value is not None
        and clause.bound_value is not None
        and clause.found_value < clause.bound_value
        for clause in verdict.clauses
    )


def _is_shown_worse(checker: Checker, sound: Measurements, planted: Measurements) -> bool:
    """Whether the two models differ by more than chance on these images, at 99%."""
    before, after = (each.inspection.probabilities.get(TEST_IMAGES) for each in (sound, planted))
    if before is None or after is None:
        return True
    counts = metrics.paired_counts(after, before, checker.data.labels)
    return stats.mcnemar(counts.regressed, counts.fixed) < (1 - DEFAULT_CONFIDENCE) / 2


def _remedy(checker: Checker, sound: Measurements, planted: Measurements) -> str:
    """Return a bound that the planted model fails, and the sound one does not."""
    before = _not_passed(_verdict(checker, checker.contract, sound))
    for text, changes in _stricter(checker.contract, sound, planted):
        try:
            contract = structs.replace(checker.contract, **changes)
        except UsageError:  # such as a floor above the ceiling
            continue
        verdicts = [_verdict(checker, contract, each) for each in (sound, planted)]
        if _not_passed(verdicts[0]) == before and _newly_failed(*verdicts):
            return f"{text} would fail it"
    return "no bound on its predictions tells it from the sound model"


def _stricter(
    contract: Contract, sound: Measurements, planted: Measurements
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield changes to a contract that may fail a planted model, and how they are written."""
    if contract.baseline is not None and contract.confidence is None:
        yield f"confidence = {DEFAULT_CONFIDENCE:g}", {"confidence": DEFAULT_CONFIDENCE}
    bound = _up(_compared_accuracy(contract, planted))
    yield f"accuracy_above = {bound:.4f}", {"accuracy_above": bound}
    before, after = (_worst_recall(each) for each in (sound, planted))
    bound = round((before + after) / 2, 2)
    yield f"worst_recall_above = {bound:.2f}", {"worst_recall_above": bound}


def _compared_accuracy(contract: Contract, measured: Measurements) -> float:
    """Return what a contract compares with its bound: the accuracy, or the end of its interval."""
    found = measured.metrics[TEST_IMAGES]
    if contract.confidence is None:
        return found.accuracy
    return stats.wilson_interval(found.correct, found.images, contract.confidence)[0]


def _worst_recall(measured: Measurements) -> float:
    rows = enumerate(measured.metrics[TEST_IMAGES].confusion)
    return min(row[label] / sum(row) for label, row in rows if sum(row))


def _up(value: float) -> float:
    return math.ceil(round(value * _DECIMALS, 6)) / _DECIMALS
