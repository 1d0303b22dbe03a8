"""Check single values of a model's description: names, numbers, strings, shapes, calls."""

from __future__ import annotations

import math
from typing import Any

from mnist_tasks.vetting.static import allowlist
from mnist_tasks.vetting.untrusted_text import RefusedError, is_name, sanitize


def json_object(value: object, where: str) -> dict[str, Any]:
    """Return the value, which must be a JSON object."""
    if not isinstance(value, dict):
        raise RefusedError(f"{where} is {sanitize(value, limit=30)}", expected="a JSON object")
    return value


def name(value: object, where: str) -> str:
    """Return the value, which must be a name."""
    if not is_name(value):
        raise RefusedError(
            f"{where} is named '{sanitize(value)}'",
            expected="letters, digits, _ - . : / or spaces",
        )
    return str(value)


def check_number(value: object, where: str) -> None:
    """Refuse numbers that no setting of Keras needs: infinity, more than 63 bits."""
    if isinstance(value, float) and not math.isfinite(value):
        raise RefusedError(f"{where} is not a finite number")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise RefusedError(f"{where} is a number of more than 63 bits")


def check_string(key: str, value: object, where: str) -> None:
    """Refuse a string that is not allowed for its setting."""
    if not isinstance(value, str) or value not in allowlist.STRINGS.get(key, ()):
        raise RefusedError(
            f"{where} has '{sanitize(value)}' as its {key}",
            expected="a value that Keras defines",
        )


def check_numbers(key: str, value: list[Any], where: str) -> None:
    """Refuse a list that is longer than its setting needs, or not of numbers."""
    numbers = _flatten(value)
    if len(numbers) > allowlist.LISTS.get(key, 0):
        # A long list could contain weights that nothing counts.
        raise RefusedError(f"{where} has a list of {len(numbers)} values as its {key}")
    for item in numbers:
        if not (item is None or isinstance(item, (bool, int, float))):
            raise RefusedError(f"{where} has '{sanitize(item)}' in its {key}")
        check_number(item, f"{where}, {key}")


def _flatten(value: object, depth: int = 3) -> list[object]:
    if not isinstance(value, list):
        return [value]
    if depth == 0:
        raise RefusedError("a list is nested too deeply")
    return [item for part in value for item in _flatten(part, depth - 1)]


def check_build_config(value: object) -> None:
    """Refuse a ``build_config`` that contains anything but names and shapes."""
    if value is None:
        return
    for key, item in json_object(value, "a build_config").items():
        if key == "shapes_dict":
            check_build_config(item)
        elif not is_name(key):
            raise RefusedError(f"a build_config has the key '{sanitize(key)}'")
        elif isinstance(item, dict):
            raise RefusedError("a build_config contains an object")
        elif len(_flatten(item)) > 64 or not all(
            size is None or (isinstance(size, int) and 0 <= size < 2**63) for size in _flatten(item)
        ):
            raise RefusedError("a build_config contains an invalid shape")


def check_references(value: object) -> None:
    """Check ``input_layers`` or ``output_layers``: one [layer, node, tensor], or several."""
    if isinstance(value, dict):
        value = [part for key, part in value.items() if name(key, "an input or output")]
    if not isinstance(value, list) or len(value) > 64:
        raise RefusedError("a model's inputs or outputs are not a list of layers")
    alone = value and not isinstance(value[0], list)
    for item in [value] if alone else value:
        _check_reference(item)


def _check_reference(value: object) -> None:
    if not (isinstance(value, list) and len(value) == 3):
        raise RefusedError("a model has an invalid reference to a layer")
    layer, *indices = value
    name(layer, "a referenced layer")
    if not all(isinstance(index, int) and 0 <= index < 10_000 for index in indices):
        raise RefusedError("a model refers to a layer by an invalid index")


def check_call(value: object, *, numbers: bool = False) -> int:
    """Check one call of a layer: its inputs must be tensors of the graph, never constants.

    Parameters
    ----------
    numbers
        Whether one of the inputs may be a number, as in ``x / 255``.

    Returns
    -------
    count
        How many numbers there are.
    """
    if isinstance(value, list):  # as Keras 2 wrote it
        for part in value:
            if isinstance(part, list) and len(part) == 4:
                _check_call_options(part[3])
                _check_reference(part[:3])
            else:
                _check_reference(part)
        return 0
    call = json_object(value, "a layer's call")
    if call.keys() - {"args", "kwargs"}:
        raise RefusedError("a layer's call has keys other than args and kwargs")
    tensors = _flatten(call.get("args", []))
    if len(tensors) > 64:
        raise RefusedError("a layer is called on more than 64 tensors")
    constants = [item for item in tensors if numbers and isinstance(item, (bool, int, float))]
    for item in tensors:
        if item not in constants:
            _check_tensor(item)
    for item in constants:
        check_number(item, "an input of a layer's call")
    if len(constants) > 1:
        raise RefusedError("a function is called on more than one number")
    _check_call_options(call.get("kwargs", {}))
    return len(constants)


def _check_tensor(value: object) -> None:
    item = json_object(value, "an input of a layer's call")
    if item.keys() != {"class_name", "config"} or item["class_name"] != "__keras_tensor__":
        raise RefusedError(
            f"a layer is called on '{sanitize(item.get('class_name'))}'",
            expected="a tensor of the graph: constants could be weights that nothing counts",
        )
    config = json_object(item["config"], "a tensor's config")
    if config.keys() != {"shape", "dtype", "keras_history"}:
        raise RefusedError("a tensor's config is not as Keras writes it")
    check_numbers("batch_shape", config["shape"] or [], "a tensor")
    check_string("dtype", config["dtype"], "a tensor")
    _check_reference(config["keras_history"])


def _check_call_options(value: object) -> None:
    for key, item in json_object(value, "a layer's call").items():
        if key == "training" and (item is None or isinstance(item, bool)):
            continue
        if key == "use_causal_mask" and isinstance(item, bool):
            continue
        if key in {"query", "value", "key"}:
            _check_tensor(item)
            continue
        if key in {"mask", "initial_state"} and all(part is None for part in _flatten(item)):
            continue
        raise RefusedError(f"a layer is called with the argument '{sanitize(key)}'")
