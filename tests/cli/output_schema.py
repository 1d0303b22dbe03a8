"""Write the JSON Schema of what ``--json`` prints: ``python -m tests.cli.output_schema``."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import msgspec

import mnist_tasks
from mnist_tasks.checking.results import CheckResults
from mnist_tasks.cli import documents, envelope
from mnist_tasks.data.fetching import Fetched
from mnist_tasks.environment.diagnosis import Diagnosis
from mnist_tasks.errors import Failure
from mnist_tasks.exporting.results import Export
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting.files import ReportDocument
from mnist_tasks.reproducing.results import Reproduction
from mnist_tasks.sweeping.false_alarms import FalseAlarmReport
from mnist_tasks.sweeping.summary import Sweep

FILE = Path(mnist_tasks.__file__).with_name("output.schema.json")
RESULTS: dict[str, Any] = {
    "init": documents.NewProject,
    "fetch": Fetched,
    "train": RunRecord,
    "check": CheckResults,
    "report": ReportDocument,
    "export": Export,
    "demo": documents.DemoPage,
    "predict": documents.PicturePredictions,
    "vet": documents.VetResults,
    "sweep": Sweep,
    "reproduce": Reproduction,
    "false-alarms": FalseAlarmReport,
    "doctor": Diagnosis,
    "runs list": documents.RunList,
    "runs show": RunRecord,
    "runs prune": documents.PrunedRuns,
}


def text() -> str:
    """Return the schema, as JSON."""
    kinds = {kind.__name__: kind for kind in (*RESULTS.values(), Failure)}
    _, defined = msgspec.json.schema_components(kinds.values(), ref_template="#/$defs/{name}")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What mnist-tasks COMMAND --json prints",
        "type": "object",
        "required": ["schema", "command", "exit_code"],
        "properties": {
            "schema": {"const": envelope.SCHEMA},
            "command": {"enum": [*RESULTS, "runs", None]},
            "exit_code": {"type": "integer"},
            "result": {"description": "What the command found; also of a contract that failed."},
            "error": _reference(Failure) | {"description": "What ended a command without result."},
        },
        "oneOf": [{"required": ["result"]}, {"required": ["error"]}],
        "allOf": [
            {
                "if": {"properties": {"command": {"const": command}}},
                "then": {"properties": {"result": _reference(kind)}},
            }
            for command, kind in RESULTS.items()
        ],
        "$defs": _complete(msgspec.to_builtins(defined)),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _reference(kind: Any) -> dict[str, str]:
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _complete(defined: dict[str, Any]) -> dict[str, Any]:
    """Require every field, since those with their default are printed, too, and describe it."""
    for schema in defined.values():
        summary, *sections = inspect.cleandoc(schema["description"]).split("\n\nAttributes\n---")
        schema["description"] = _one_line(summary)
        for names, text in re.findall(
            r"^(\w.*)\n((?:    .*\n?)+)", "".join(sections), re.MULTILINE
        ):
            for name in names.split(", "):
                schema["properties"][name]["description"] = _one_line(text)
        for each in schema["properties"].values():
            each.pop("default", None)
        schema["required"] = list(schema["properties"])
    return defined


def _one_line(text: str) -> str:
    return " ".join(text.replace("``None``", "null").replace("``", "`").split())


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
