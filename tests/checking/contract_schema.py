"""Write the JSON Schemas of the contract and of a project's settings.

Run it as ``python -m tests.checking.contract_schema``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from mnist_tasks import project
from mnist_tasks.checking import contract
from mnist_tasks.checking.contract import Contract
from mnist_tasks.data import project_table
from mnist_tasks.data.project_table import DatasetTable
from mnist_tasks.project import Settings
from mnist_tasks.training import own_recipes
from mnist_tasks.training.recipe import RecipeTable

FILE = Path(contract.__file__).with_name("contract.schema.json")
PROJECT_FILE = Path(project.__file__).with_name("project.schema.json")


def text() -> str:
    """Return the schema of a contract as JSON."""
    return _as_json(msgspec.json.schema(Contract))


def project_text() -> str:
    """Return the schema of the table ``[tool.mnist-tasks]`` as JSON."""
    _, kinds = msgspec.json.schema_components(
        (Settings, Contract, RecipeTable, DatasetTable), ref_template="#/$defs/{name}"
    )
    settings = kinds.pop("Settings")
    settings["additionalProperties"] = False
    for name in ("DatasetTable", "Arrays", "Lock", "LockedFile"):
        kinds[name]["additionalProperties"] = False
    names = {"pattern": f"^{own_recipes.NAME.pattern}$"}
    contracts, recipes = ({"$ref": f"#/$defs/{name}"} for name in ("Contract", "RecipeTable"))
    tables: dict[str, dict[str, Any]] = {
        "contract": {"anyOf": [{"type": "string", "minLength": 1}, contracts]},
        "recipes": {"type": "object", "propertyNames": names, "additionalProperties": recipes},
        "datasets": {
            "type": "object",
            "propertyNames": {"pattern": f"^{project_table.NAME.pattern}$"},
            "additionalProperties": {"$ref": "#/$defs/DatasetTable"},
        },
    }
    for key, schema in tables.items():
        described = settings["properties"][key]
        settings["properties"][key] = {"description": described["description"], **schema}
    return _as_json(settings | {"$defs": kinds})


def _as_json(schema: dict[str, Any]) -> str:
    plain = msgspec.json.decode(msgspec.json.encode(schema))
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | _without_null(plain), indent=2, ensure_ascii=False) + "\n"


def _without_null(node: Any) -> Any:
    """Leave ``null`` out, which TOML does not have."""
    if isinstance(node, list):
        return [_without_null(each) for each in node]
    if not isinstance(node, dict):
        return node
    kinds = [each for each in node.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        node = {name: value for name, value in node.items() if name != "anyOf"} | kinds[0]
    elif kinds:
        node = node | {"anyOf": kinds}
    return {name: _without_null(value) for name, value in node.items() if value is not None}


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    PROJECT_FILE.write_text(project_text(), encoding="utf-8")
