"""The static look at single values of a description: names, numbers, words, shapes, calls."""

from __future__ import annotations

import math
from typing import Any

from mnist_tasks.vetting import allowlist
from mnist_tasks.vetting.untrusted_text import RefusedError, is_name, shown


def mapping(value: object, where: str) -> dict[str, Any]:
    """Give a JSON object, or refuse what is none."""
    if not isinstance(value, dict):
        raise RefusedError(f"{where} is {shown(value, limit=30)}", expected="a JSON object")
    return value


def name_of(value: object, where: str) -> str:
    """Give a name, or refuse what could be more than one."""
    if not is_name(value):
        raise RefusedError(
            f"{where} is named '{shown(value)}'", expected="letters, digits, _ - . : / or spaces"
        )
    return str(value)


def number(value: object, where: str) -> None:
    """Refuse what no setting of Keras needs: infinity, numbers past 63 bits."""
    if isinstance(value, float) and not math.isfinite(value):
        raise RefusedError(f"{where} is not a finite number")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise RefusedError(f"{where} is a number of more than 63 bits")


def word(key: str, value: object, where: str) -> None:
    """Refuse a word that Keras does not know in this place."""
    if not isinstance(value, str) or value not in allowlist.WORDS.get(key, ()):
        raise RefusedError(
            f"{where} has '{shown(value)}' as its {key}", expected="a word that Keras knows"
        )


def flat(value: object, depth: int = 3) -> list[object]:
    """Give the items of nested lists in one."""
    if not isinstance(value, list):
        return [value]
    if depth == 0:
        raise RefusedError("a list of numbers nests too deep")
    return [item for part in value for item in flat(part, depth - 1)]


def few_numbers(key: str, value: list[Any], where: str) -> None:
    """Refuse a list that is longer than its setting needs, or not of numbers."""
    numbers = flat(value)
    if len(numbers) > allowlist.LISTS.get(key, 0):
        # A long list could carry weights that no one counts.
        raise RefusedError(f"{where} has a list of {len(numbers)} as its {key}")
    for item in numbers:
        if not (item is None or isinstance(item, (bool, int, float))):
            raise RefusedError(f"{where} has '{shown(item)}' in its {key}")
        number(item, f"{where}, {key}")


def shapes(value: object) -> None:
    """Read a ``build_config``: shapes, and names for them."""
    if value is None:
        return
    for key, item in mapping(value, "a build_config").items():
        if key == "shapes_dict":
            shapes(item)
        elif not is_name(key):
            raise RefusedError(f"a build_config has the key '{shown(key)}'")
        elif isinstance(item, dict):
            raise RefusedError("a build_config holds an object")
        elif len(flat(item)) > 64 or not all(
            size is None or (isinstance(size, int) and 0 <= size < 2**63) for size in flat(item)
        ):
            raise RefusedError("a build_config holds what is no shape")


def references(value: object) -> None:
    """Read ``input_layers`` or ``output_layers``: [layer, node, tensor], alone or gathered."""
    if isinstance(value, dict):
        value = [part for name, part in value.items() if name_of(name, "an input or output")]
    if not isinstance(value, list) or len(value) > 64:
        raise RefusedError("a model's inputs and outputs are no list of layers")
    if value and not isinstance(value[0], list):
        reference(value)
        return
    for item in value:
        reference(item)


def reference(value: object) -> None:
    """Read [layer, node, tensor]."""
    if not (isinstance(value, list) and len(value) == 3):
        raise RefusedError("a model refers to a layer in a way that Keras doesn't")
    name, *indices = value
    name_of(name, "a layer that is referred to")
    if not all(isinstance(index, int) and 0 <= index < 10_000 for index in indices):
        raise RefusedError("a model refers to a layer by an index that can't be")


def node(value: object) -> None:
    """Read one call of a layer: what it is called on is tensors of the graph, never constants."""
    if isinstance(value, list):  # as Keras 2 wrote it
        for part in value:
            if isinstance(part, list) and len(part) == 4:
                _call_options(part[3])
                reference(part[:3])
            else:
                reference(part)
        return
    node = mapping(value, "a layer's call")
    if node.keys() - {"args", "kwargs"}:
        raise RefusedError("a layer's call has keys besides args and kwargs")
    tensors = flat(node.get("args", []))
    if len(tensors) > 64:
        raise RefusedError("a layer is called on more than 64 tensors")
    for tensor in tensors:
        _tensor(tensor)
    _call_options(node.get("kwargs", {}))


def _tensor(value: object) -> None:
    item = mapping(value, "what a layer is called on")
    if item.keys() != {"class_name", "config"} or item["class_name"] != "__keras_tensor__":
        raise RefusedError(
            f"a layer is called on '{shown(item.get('class_name'))}'",
            expected="a tensor of the graph: constants would be weights that no one counts",
        )
    config = mapping(item["config"], "a tensor's config")
    if config.keys() != {"shape", "dtype", "keras_history"}:
        raise RefusedError("a tensor's config is not as Keras writes it")
    few_numbers("batch_shape", config["shape"] or [], "a tensor")
    word("dtype", config["dtype"], "a tensor")
    reference(config["keras_history"])


def _call_options(value: object) -> None:
    for key, item in mapping(value, "a layer's call").items():
        if key == "training" and (item is None or isinstance(item, bool)):
            continue
        if key == "mask" and all(part is None for part in flat(item)):
            continue
        raise RefusedError(f"a layer is called with '{shown(key)}'")
