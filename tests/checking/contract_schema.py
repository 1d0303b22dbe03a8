"""Write the JSON Schema of the contract: ``python -m tests.checking.contract_schema``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from mnist_tasks.checking import contract

FILE = Path(contract.__file__).with_name("contract.schema.json")


def text() -> str:
    """Return the schema as JSON."""
    schema = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(contract.Contract)))
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | _without_null(schema), indent=2, ensure_ascii=False) + "\n"


def _without_null(node: Any) -> Any:
    """Leave ``null`` out, which TOML does not have."""
    if isinstance(node, list):
        return [_without_null(each) for each in node]
    if not isinstance(node, dict):
        return node
    kinds = [each for each in node.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        node = {name: value for name, value in node.items() if name != "anyOf"} | kinds[0]
    return {name: _without_null(value) for name, value in node.items() if value is not None}


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
