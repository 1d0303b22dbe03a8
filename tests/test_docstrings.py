"""Docstrings and comments name functions, classes and fields that exist."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import mnist_tasks

PACKAGE = Path(mnist_tasks.__file__).parent
# As in `disk.write`, and not in ``disk.write``, which is code.
REFERENCE = re.compile(r"(?<!`)`(\w+)\.(\w+)`(?!`)")


def defined() -> dict[str, set[str]]:
    """Return the names that each module or folder of the package has, by its own name."""
    names: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names[path.stem].add(node.name)
            elif isinstance(node, ast.Name):
                names[path.stem].add(node.id)
        names[path.parent.name].add(path.stem)
    del names["model"]  # which `model.fit` of Keras is not about
    return names


def test_what_docstrings_refer_to_exists() -> None:
    names = defined()
    references = {
        (path.name, *reference)
        for path in PACKAGE.rglob("*.py")
        for reference in REFERENCE.findall(path.read_text(encoding="utf-8"))
    }
    known = [each for each in references if each[1] in names]
    assert len(known) > 10
    assert [each for each in known if each[2] not in names[each[1]]] == []
