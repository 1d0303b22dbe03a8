"""The JSON Schema of a project's settings accepts what the commands accept, and nothing else."""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mnist_tasks import project
from mnist_tasks.checking import contract_file
from mnist_tasks.data import project_table
from mnist_tasks.errors import UsageError
from mnist_tasks.training import own_recipes
from tests.checking import contract_schema

SCHEMA: dict[str, Any] = json.loads(contract_schema.project_text())
SMALL = "batch_size = 32\nlearning_rate = 0.1\n"
VALID = (
    "",
    "network = 'net.py'\nrecipe = 'mine'\nepochs = 3",
    "dataset = 'parts'\nruns = 'r'\noutput = 'm.h5'",
    "contract = 'contract.toml'",
    "[contract]\naccuracy_above = 0.9\nperturbed.shift = {pixels = 1, accuracy_above = 0.5}",
    f"[recipes.mine]\n{SMALL}layers = []",
    f"""[recipes.a-1]
{SMALL}epochs = 2
micro_batches = 2
layers = [
    {{layer = "Conv", filters = 8, kernel = 3, padding = "same"}},
    {{layer = "BatchNorm"}},
    {{layer = "MaxPool", size = 3}},
    {{layer = "Dropout", rate = 0.1, whole_maps = true}},
]""",
    "[datasets.parts]\ntrain = ['a', 'b']\ntest = ['c', 'd']\nclasses = ['nut', 'bolt']",
    "[datasets.parts]\ntrain = 'train/'\ntest = 'test/'",
)
INVALID = (
    "epoch = 3",
    "epochs = 0",
    "epochs = 1.5",
    "runs = ''",
    "output = 3",
    "contract = 3",
    "contract.accuracy = 0.9",
    "contract.accuracy_above = 95",
    "contract.perturbed.shift = {pixels = 9, accuracy_above = 0.5}",
    "recipes = 3",
    "recipes.mine = 3",
    "recipes.mine.layers = []",
    f"[recipes.mine]\n{SMALL}",
    f"[recipes.mine]\n{SMALL}layers = [3]",
    f"[recipes.mine]\n{SMALL}layers = [{{filters = 8, kernel = 3}}]",
    f"[recipes.mine]\n{SMALL}layers = [{{layer = 'Dense', units = 3}}]",
    f"[recipes.mine]\n{SMALL}layers = [{{layer = 'MaxPool', kernel = 3}}]",
    f"[recipes.mine]\n{SMALL}layers = [{{layer = 'Dropout'}}]",
    f"[recipes.mine]\n{SMALL}layers = []\nname = 'x'",
    f"[recipes.'a/b']\n{SMALL}layers = []",
    "datasets = 3",
    "datasets.parts = 3",
    "[datasets.parts]\nclasses = ['nut', 'bolt']",
    "[datasets.parts]\ntrain = 'train/'\ntest = 'test/'\nclass = ['nut', 'bolt']",
)


def is_accepted(folder: Path, text: str) -> bool:
    """Whether the commands accept a table of settings."""
    (folder / "contract.toml").touch()
    lines = [
        f"[tool.mnist-tasks.{line[1:]}" if line.startswith("[") and line.endswith("]") else line
        for line in text.splitlines()
    ]
    (folder / "pyproject.toml").write_text("\n".join(["[tool.mnist-tasks]", *lines]))
    try:
        contract_file.load()
        own_recipes.of_project(project.find())
        project_table.find("parts")
    except UsageError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "valid"), [*((t, True) for t in VALID), *((t, False) for t in INVALID)]
)
def test_the_schema_agrees_with_the_commands(
    text: str, valid: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert validator.is_valid(tomllib.loads(text)) is valid
    assert is_accepted(tmp_path, text) is valid


def test_every_key_is_described() -> None:
    for table in (SCHEMA, *SCHEMA["$defs"].values()):
        assert table["description"]
        assert table["additionalProperties"] is False
        if table["title"] in {"Lock", "LockedFile"}:  # which a command writes
            continue
        for name, key in table["properties"].items():
            assert "$ref" in key or name == "layer" or key["description"], (table["title"], name)
