"""Run records as JSON: what is written can be read, and what is read is valid."""

from __future__ import annotations

from typing import Any

import msgspec

from mnist_tasks import disk, json_text, listed_runs, old_records
from mnist_tasks.errors import InputRefusedError, printable
from mnist_tasks.records import RunRecord

RECIPE_DEPTH = 8  # of a record: a recipe has a list of layers, each with its settings
_DECODER = msgspec.json.Decoder(RunRecord)


def to_json(record: RunRecord) -> bytes:
    """Return a record as a JSON document that `read` accepts.

    Raises
    ------
    InputRefusedError
        It has a value that no record may have.
    """
    content = json_text.to_json(record)
    try:
        fault = parse(content)
    except msgspec.DecodeError as error:
        fault = str(error)
    if len(content) > disk.LARGEST_TEXT:
        fault = f"{len(content):,} bytes, more than {disk.LARGEST_TEXT:,}"
    if not isinstance(fault, str):
        return content
    raise InputRefusedError(
        f"the record of the run {record.id}",
        expected="values that a record can have",
        found=printable(fault),
        reason="record-invalid",
    )


def parse(content: bytes) -> RunRecord | str:
    """Return the record in a JSON document, or why it is not valid.

    Raises
    ------
    msgspec.DecodeError, UnicodeDecodeError, RecursionError
        It is no JSON, or not that of a record.
    """
    record = old_records.decode(content, _DECODER)
    return invalid(record) or record


def invalid(record: RunRecord) -> str:
    """Return why a well-formed record is not valid; empty if it is."""
    if not isinstance(record.recipe.get("name"), str):
        return "its recipe has no name"
    if not _is_shallow(record.recipe):
        return "its recipe is nested too deeply"
    return listed_runs.invalid(record)


def _is_shallow(value: Any, depth: int = RECIPE_DEPTH) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_shallow(each, depth - 1) for each in inner)
