"""Run records of an older schema, read as those of today."""

from __future__ import annotations

from typing import Any

#: Names of recipe settings in schema 1, with the names that replaced them.
RENAMED_SETTINGS = {
    "average": "ema_momentum",
    "warmup": "warmup_fraction",
    "final": "final_learning_rate_fraction",
    "accumulator": "initial_accumulator_value",
    "shift": "max_shift",
    "towers": "micro_batches",
}
_STATUSES = {"holds": "passed", "broken": "failed", "unmeasured": "not measured"}
_EVALUATED_ON = {"held-out": "validation"}


def upgrade(record: Any) -> Any:
    """Return a decoded JSON record in today's words; `record` itself is left as it is.

    A record that is malformed is returned with its faults, for the strict decoder to name.
    """
    if not isinstance(record, dict) or record.get("schema") != 1:
        return record
    upgraded = {**record, "schema": 2}
    if isinstance(record.get("recipe"), dict):
        upgraded["recipe"] = _renamed(record["recipe"])
    if isinstance(record.get("check"), dict):
        upgraded["check"] = _check(record["check"])
    if isinstance(record.get("trial"), dict):
        upgraded["trial"] = _trial(record["trial"])
    return upgraded


def _check(check: dict[str, Any]) -> dict[str, Any]:
    verdict = check.get("verdict")
    clauses = verdict.get("clauses") if isinstance(verdict, dict) else None
    if not isinstance(clauses, list):
        return check
    renamed = [
        {**clause, "status": _word(clause.get("status"), _STATUSES)}
        if isinstance(clause, dict)
        else clause
        for clause in clauses
    ]
    return {**check, "schema": 2, "verdict": {"clauses": renamed}}


def _trial(trial: dict[str, Any]) -> dict[str, Any]:
    upgraded = {key: value for key, value in trial.items() if key != "judged_by"}
    upgraded["evaluated_on"] = _word(trial.get("judged_by"), _EVALUATED_ON)
    if isinstance(trial.get("settings"), dict):
        upgraded["settings"] = _renamed(trial["settings"])
    return upgraded


def _renamed(settings: dict[str, Any]) -> dict[str, Any]:
    return {RENAMED_SETTINGS.get(name, name): value for name, value in settings.items()}


def _word(value: Any, renamed: dict[str, str]) -> Any:
    return renamed.get(value, value) if isinstance(value, str) else value
