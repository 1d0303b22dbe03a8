"""Each reason of an error is documented, used, and has one exit code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import mnist_tasks
from mnist_tasks import errors
from tests.cli.reasons import REASONS

SOURCES = [
    ast.parse(path.read_text(encoding="utf-8"))
    for path in Path(mnist_tasks.__file__).parent.rglob("*.py")
]


def constants(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def used() -> Iterator[tuple[str, int | None]]:
    """Yield the reasons that are given to errors, with the exit codes of their classes."""
    for call in (each for tree in SOURCES for each in ast.walk(tree)):
        match call:
            case ast.Call(func=ast.Name(id=name)):
                kind: Any = getattr(errors, name, None)
                code = getattr(kind, "exit_code", None)
                for keyword in call.keywords:
                    if kind and keyword.arg == "reason":
                        yield from ((text, code) for text in constants(keyword.value))


def test_all_reasons_are_documented() -> None:
    assert set(REASONS) == set(get_args(errors.Reason))


def test_no_reason_is_dead() -> None:
    texts = [text for tree in SOURCES for text in constants(tree)]
    assert {reason for reason in REASONS if texts.count(reason) < 2} == set()  # one is its type


def test_a_reason_has_the_exit_code_of_its_error() -> None:
    found = [(reason, code) for reason, code in used() if code is not None]
    assert len(found) >= 20
    documented: dict[str, tuple[int, ...]] = {name: codes for name, (codes, _) in REASONS.items()}
    assert [each for each in found if each[1] not in documented.get(each[0], ())] == []
    for kind in (errors.UsageError, errors.InputRefusedError, errors.EnvironmentProblemError):
        assert documented[kind.reason] == (kind.exit_code,)
