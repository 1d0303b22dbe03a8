"""Find what names code in a description: classes that run or read something, foreign modules.

This comes before the allow-list, which refuses these too, so that a model that can run code is told
from one that is only unknown.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from typing import Any

from mnist_tasks.vetting.static import allowlist
from mnist_tasks.vetting.untrusted_text import RefusedError, is_name, sanitize

#: Modules of Keras; whether one is allowed depends on what is looked up in it.
_KERAS = re.compile(r"(tf_)?keras(\.\w+){0,6}", re.ASCII)


def check_model(value: object) -> None:
    """Refuse a model's description if it names code anywhere in it.

    Raises
    ------
    RefusedError
        With the outcome ``model-can-run-code``.
    """
    for item, _ in walk(value):
        if isinstance(item, dict):
            check_object(item, "the model", modules=_KERAS)


def walk(value: object) -> Iterator[tuple[Any, int]]:
    """Yield every part of a JSON value, keys included, each with its depth."""
    pending: list[tuple[object, int]] = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        yield item, depth
        if isinstance(item, dict):
            pending += [(part, depth + 1) for pair in item.items() for part in pair]
        elif isinstance(item, list):
            pending += [(part, depth + 1) for part in item]


def check_object(item: dict[str, Any], where: str, *, modules: re.Pattern[str]) -> None:
    """Refuse an object whose class runs code, or whose module doesn't match `modules`."""
    kind, module, config = item.get("class_name"), item.get("module"), item.get("config")
    settings = config if isinstance(config, dict) else {}
    if isinstance(kind, str) and _runs_code(kind.rpartition(">")[2], settings):
        named = f" (named '{settings['name']}')" if is_name(settings.get("name")) else ""
        raise RefusedError(
            f"{where} has the class '{sanitize(kind)}'{named}, which can run code or read files",
            expected="only classes of Keras that neither run code nor read files",
            outcome="model-can-run-code",
        )
    is_function = kind == "function"
    if module is None or (
        # Older versions of Keras import `builtins`.
        module == "builtins" and is_function and not hasattr(builtins, str(config))
    ):
        return
    if not isinstance(module, str) or not modules.fullmatch(module):
        raise RefusedError(
            f"{where} names '{sanitize(config if is_function else kind)}' of the module "
            f"'{sanitize(module)}'",
            expected="classes and functions of Keras",
            outcome="model-can-run-code",
        )


def _runs_code(kind: str, settings: dict[str, Any]) -> bool:
    if kind in allowlist.LOOKUPS:
        return isinstance(settings.get("vocabulary"), str)
    if kind in allowlist.OPERATORS:
        function = str(settings.get("function")).removeprefix("compat.v1.")
        return function.partition(".")[0] not in allowlist.CALCULATIONS
    return kind in allowlist.CODE_CLASSES
