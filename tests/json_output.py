"""Read what ``--json`` prints; every document that a test reads is checked against its schema."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema

from tests.cli import output_schema

if TYPE_CHECKING:
    import subprocess

    Done = subprocess.CompletedProcess[str]


def result_of(done: Done) -> Any:
    """Return the result of a command, whether the contract passed or not."""
    return _document(done)["result"]


def error_of(done: Done) -> dict[str, Any]:
    """Return the error that ended a command."""
    error: dict[str, Any] = _document(done)["error"]
    return error


def of(stdout: str) -> dict[str, Any]:
    """Return the one document on standard output."""
    found: dict[str, Any] = json.loads(stdout)
    _validator().validate(found)
    return found


def _document(done: Done) -> dict[str, Any]:
    found = of(done.stdout)
    assert found["exit_code"] == done.returncode
    return found


@cache
def _validator() -> Any:
    """Return a validator of the schema that the package ships, without fields unknown to it."""
    schema = json.loads(output_schema.FILE.read_bytes())
    for each in schema["$defs"].values():
        each["additionalProperties"] = False
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema | {"additionalProperties": False})
