"""Upgrade run records of an older schema to the current one."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind")

#: Names of recipe settings in schema 1, with the names that replaced them.
RENAMED_SETTINGS = {
    "average": "ema_momentum",
    "warmup": "warmup_fraction",
    "final": "final_learning_rate_fraction",
    "accumulator": "initial_accumulator_value",
    "shift": "max_shift",
    "towers": "micro_batches",
}
#: Settings of recipes that are gone.
REMOVED_SETTINGS = frozenset({"average_from"})
_STATUSES = {"holds": "passed", "broken": "failed", "unmeasured": "not measured"}
_EVALUATED_ON = {"held-out": "validation"}
_DIRECTIONS = {"<": "below", ">": "above"}
_NOT_MEASURED = "not measured: "


def decode(content: bytes, decoder: msgspec.json.Decoder[Kind]) -> Kind:
    """Decode the JSON of a record, or of a part of it, of any schema.

    Raises
    ------
    msgspec.DecodeError, UnicodeDecodeError, RecursionError
        It is no JSON, or not that of a record.
    """
    try:
        record = decoder.decode(content)
        if getattr(record, "schema", None) != 1:
            return record
    except msgspec.ValidationError:  # it may be of an older schema
        pass
    return msgspec.convert(upgrade(msgspec.json.decode(content)), type=decoder.type)


def upgrade(record: Any) -> Any:
    """Return a decoded JSON record in the current schema; `record` itself is not changed.

    Malformed parts stay as they are; the strict decoder reports them.
    """
    if not isinstance(record, dict) or record.get("schema") != 1:
        return record
    upgraded = {**record, "schema": 2}
    if isinstance(record.get("recipe"), dict):
        upgraded["recipe"] = _renamed(record["recipe"])
    if isinstance(record.get("check"), dict):
        upgraded["check"] = _check(record["check"])
    if isinstance(record.get("trial"), dict):
        upgraded["trial"] = _trial(record["trial"], record.get("id"))
    return upgraded


def _check(check: dict[str, Any]) -> dict[str, Any]:
    verdict = check.get("verdict")
    clauses = verdict.get("clauses") if isinstance(verdict, dict) else None
    if not isinstance(clauses, list):
        return check
    upgraded = [_clause(clause) if isinstance(clause, dict) else clause for clause in clauses]
    return {**check, "verdict": {"clauses": upgraded}}


def _clause(clause: dict[str, Any]) -> dict[str, Any]:
    upgraded = {**clause, "status": _replaced(clause.get("status"), _STATUSES)}
    if isinstance(clause.get("found"), str):
        upgraded["found"] = clause["found"].removeprefix(_NOT_MEASURED)
    if isinstance(clause.get("bound"), str):
        upgraded["direction"] = _DIRECTIONS.get(clause["bound"][:1])
    return upgraded


def _trial(trial: dict[str, Any], run: Any) -> dict[str, Any]:
    upgraded = {**trial, "evaluated_on": _replaced(trial.get("judged_by"), _EVALUATED_ON)}
    if isinstance(trial.get("settings"), dict):
        upgraded["settings"] = _renamed(trial["settings"])
    # The id of a run in a sweep consisted of its recipe, the digest and the seed.
    if isinstance(run, str) and (found := re.search(r"-([0-9a-f]{8})-\d+$", run)):
        upgraded["digest"] = found[1]
    return upgraded


def _renamed(settings: dict[str, Any]) -> dict[str, Any]:
    return {RENAMED_SETTINGS.get(name, name): value for name, value in settings.items()}


def _replaced(value: Any, replacements: dict[str, str]) -> Any:
    return replacements.get(value, value) if isinstance(value, str) else value
