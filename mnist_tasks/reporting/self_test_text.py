"""The self-test of a contract in words, the same in every output."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnist_tasks.checking.results import PlantedModel, SelfTest

COLUMNS = ("planted fault", "accuracy", "contract", "failed by")


def reason(model: PlantedModel) -> str:
    """Return the clauses that failed a planted model, or why none did and what would."""
    return ", ".join(model.clauses) or model.note or ""


def conclusions(found: SelfTest) -> tuple[str, ...]:
    """Return what a self-test shows: first whether it passed, then what it does not show."""
    missed = [each.fault for each in found.models if each.status == "missed"]
    allowed = [each for each in found.models if each.status == "let through"]
    planted = [each for each in found.models if each.status != "not planted"]
    failed = len(planted) - len(missed) - len(allowed)
    if missed:
        first = f"The contract misses models that it must fail: {', '.join(missed)}"
    else:
        first = f"The contract fails {failed} of {len(planted)} worse models"
        first += ", and allows the losses of the others" if allowed else ""
    lines = [first]
    if allowed or missed:
        lines.append(
            "Before you raise a bound, `mnist-tasks false-alarms` says how often it would fail a "
            "good model."
        )
    if found.idle:
        lines.append(f"Clauses that failed no planted model: {', '.join(found.idle)}")
    if found.untested:
        names = ", ".join(found.untested)
        lines.append(f"Not tested, since planted models share the sound model's structure: {names}")
    return tuple(lines)
