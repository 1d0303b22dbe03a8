"""Check a model's description, its JSON, against the allow-list."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.static import allowlist, config_values
from mnist_tasks.vetting.static.training_config import check_training
from mnist_tasks.vetting.untrusted_text import RefusedError, is_name, sanitize

_OBJECT_KEYS = allowlist.words("""
    module class_name config registered_name build_config compile_config shared_object_id name
    inbound_nodes __passive_serialization__
""")
# As many usual layers take Keras and TensorFlow as long to prepare.
_LAYERS_IN = {
    **dict.fromkeys(allowlist.RECURRENT, 20),
    "Bidirectional": 40,
    "MultiHeadAttention": 10,
}
_MODEL_KEYS = allowlist.words("""
    name trainable dtype layers build_input_shape input_layers output_layers
""")


@dataclass(frozen=True, kw_only=True)
class LayerDescription:
    """One layer as the file describes it; a model within a model has ``inner`` layers."""

    class_name: str
    name: str
    inner: tuple[LayerDescription, ...] = ()
    calls: int = 1  # of layers, those of nested models included
    constants: int = 0  # numbers in the calls, those of nested models included

    def classes(self) -> list[str]:
        """Return the class of each layer, in order, those of nested models included."""
        if self.class_name not in allowlist.MODELS:
            return [self.class_name]
        return [class_name for layer in self.inner for class_name in layer.classes()]


@dataclass(kw_only=True)
class ConfigChecker:
    """Checks one model's description."""

    limits: Limits
    # The class of each shared_object_id: Keras reuses the first object of an id for all others.
    shared: dict[int, str] = field(default_factory=dict)

    def model(self, value: object, *, depth: int = 1) -> LayerDescription:
        """Check the description of a model, and return its layers."""
        if depth > self.limits.depth:
            raise RefusedError(f"models are nested more than {self.limits.depth} deep")
        class_name, item = self._object(value, "model", "the model")
        config = item["config"]
        if isinstance(config, list):  # a Sequential, as written before Keras 2.2.3
            config = {"name": item.get("name", "sequential"), "layers": config}
        name = config_values.name(config.get("name", item.get("name")), "a model")
        if unknown := config.keys() - _MODEL_KEYS:
            key = sanitize(min(unknown))
            raise RefusedError(f"a model's config has the unsupported setting '{key}'")
        for key in config.keys() & allowlist.SETTINGS:
            self._setting(key, config[key], f"model '{name}'")
        for key in config.keys() & {"input_layers", "output_layers"}:
            config_values.check_references(config[key])
        layers = config.get("layers")
        if not isinstance(layers, list) or not layers:
            raise RefusedError(f"model '{name}' has no list of layers", outcome="model-unreadable")
        inner: list[LayerDescription] = []
        calls = 0
        for layer in layers:
            inner.append(self._layer(layer, depth=depth))
            calls += inner[-1].calls
            if calls > self.limits.layers:
                # The time that Keras needs grows with the square of the layers.
                raise RefusedError(
                    f"more than {self.limits.layers} layers, each counted once per call, and "
                    "recurrent ones as 20"
                )
        check_training(item.get("compile_config"))
        return LayerDescription(
            class_name=class_name,
            name=name,
            inner=tuple(inner),
            calls=calls,
            constants=sum(layer.constants for layer in inner),
        )

    def _layer(self, value: object, *, depth: int) -> LayerDescription:
        item = config_values.json_object(value, "a layer")
        where = _layer_title(item)
        nodes = item.get("inbound_nodes", [])
        if not isinstance(nodes, list):
            raise RefusedError("a layer's inbound_nodes is not a list")
        family = "operation" if _is_operation(item) else "layer"
        constants = sum(
            config_values.check_call(node, numbers=family == "operation") for node in nodes
        )
        if _is_one_of(item.get("class_name"), allowlist.MODELS):
            layer = self.model(value, depth=depth + 1)
        else:
            kind, item = self._object(value, family, where)
            if family == "layer" and kind in allowlist.OPERATIONS:
                _refuse_operator(nodes, kind, where)
            config = config_values.json_object(item["config"], f"the config of {where}")
            name = config_values.name(config.get("name", item.get("name")), f"a {kind} layer")
            self._settings(config, f"{kind} '{name}'")
            layer = LayerDescription(class_name=kind, name=name, calls=_LAYERS_IN.get(kind, 1))
        if "name" in item and item["name"] != layer.name:
            raise RefusedError(f"layer '{layer.name}' has a second name")
        return replace(
            layer,
            calls=layer.calls * max(1, len(nodes)),
            constants=layer.constants + constants,
        )

    def _object(self, value: object, family: str, where: str) -> tuple[str, dict[str, Any]]:
        """Check the class and module of an object against those of its family."""
        item = config_values.json_object(value, where)
        allowed = allowlist.FAMILIES[family]
        if unknown := item.keys() - _OBJECT_KEYS:
            raise RefusedError(f"{where} has the unsupported key '{sanitize(min(unknown))}'")
        kind = item.get("class_name")
        if not isinstance(kind, str) or not _is_one_of(kind, allowed.classes):
            raise RefusedError(
                f"{where} has the class '{sanitize(kind)}', which mnist-tasks doesn't know",
                expected=_instead(item) or f"an allowed {family} (docs/untrusted-models.md)",
            )
        if "module" in item and not _is_one_of(item["module"], allowed.modules):
            raise RefusedError(
                f"{where} has the module '{sanitize(item['module'])}' for the class {kind}",
                expected=" or ".join(sorted(allowed.modules)),
            )
        self._check_registered_name(item, (None, kind), where)
        types = (dict, list) if kind == "Sequential" else dict
        if not isinstance(item.get("config"), types):
            raise RefusedError(f"{where} has no config")
        if family != "model" and item.get("compile_config") is not None:
            raise RefusedError(f"{where} has a compile_config of its own")
        config_values.check_build_config(item.get("build_config"))
        number = item.get("shared_object_id")
        if number is not None and (
            type(number) is not int or self.shared.setdefault(number, kind) != kind
        ):
            raise RefusedError("one shared_object_id refers to objects of two classes")
        return kind, item

    def _check_registered_name(
        self, item: dict[str, Any], allowed: tuple[object, ...], where: str
    ) -> None:
        if item.get("registered_name") not in allowed:
            name = sanitize(item["registered_name"])
            raise RefusedError(
                f"{where} is registered as '{name}'",
                expected="classes and functions of Keras, not custom ones",
                outcome="model-can-run-code",
            )

    def _settings(self, config: dict[str, Any], where: str) -> None:
        for key, value in config.items():
            if key == "name":
                config_values.name(value, where)
            else:
                self._setting(key, value, where)

    def _setting(self, key: str, value: object, where: str) -> None:
        if key not in allowlist.SETTINGS:
            raise RefusedError(f"{where} has the unsupported setting '{sanitize(key)}'")
        if key in allowlist.OFF and value not in (False, None):
            raise RefusedError(f"{where} has {key} set", expected=f"{key}=False")
        if value is None or isinstance(value, (bool, int, float)):
            config_values.check_number(value, f"{where}, {key}")
        elif isinstance(value, str):
            config_values.check_string(key, value, where)
        elif not isinstance(value, list):
            self._setting_object(key, config_values.json_object(value, where), where)
        else:
            config_values.check_numbers(key, value, where)

    def _setting_object(self, key: str, value: dict[str, Any], where: str) -> None:
        if value.get("class_name") == "function":
            self._function(key, value, where)
        elif key not in allowlist.OBJECTS:
            raise RefusedError(f"{where} has an object as its {key}")
        else:
            family = allowlist.OBJECTS[key]
            kind, item = self._object(value, family, f"{where}, {key}")
            if family == "dtype policy":
                config_values.check_string("dtype", item["config"].get("name"), where)
            self._settings(item["config"], f"{where}, {kind}")

    def _function(self, key: str, value: dict[str, Any], where: str) -> None:
        """Check a function of Keras: module ``builtins``, with its name as the config."""
        name = value.get("config")
        if value.keys() - _OBJECT_KEYS or value.get("module") != "builtins":
            module = sanitize(value.get("module"))
            raise RefusedError(
                f"{where} refers to a function of '{module}'",
                expected="a function that Keras has for it",
                outcome="model-can-run-code",
            )
        self._check_registered_name(value, (None, "function", name), where)
        config_values.check_string(key, name, where)


def _layer_title(item: dict[str, Any]) -> str:
    config = item.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return f"layer '{name}'" if is_name(name) else "a layer"


def _is_operation(item: dict[str, Any]) -> bool:
    """Return whether a layer is a function of `keras.ops`; only .keras files say so."""
    return str(item.get("module")).startswith("keras.src.ops.")


def _refuse_operator(nodes: list[Any], kind: str, where: str) -> None:
    """Refuse ``x + y`` in an .h5 file, which Keras takes for a call ``Add()(x, y)`` and can't load.

    A layer takes one list of tensors.
    """
    for node in nodes:
        if isinstance(node, dict) and len(node.get("args", [])) > 1:
            raise RefusedError(
                f"{where} is an operator, which Keras can't load from an .h5 file",
                expected=f"{allowlist.IN_PLACE_OF.get(kind, 'a layer')}, or a .keras file",
            )


def _instead(item: dict[str, Any]) -> str | None:
    """Return which layer does the same as an operator or function that is applied to tensors."""
    config, kind = item.get("config"), str(item.get("class_name"))
    if kind in allowlist.OPERATORS and isinstance(config, dict):
        kind = str(config.get("function"))
    elif not _is_operation(item) and kind not in allowlist.OPERATIONS:
        return None
    layer = allowlist.IN_PLACE_OF.get(kind.rpartition(".")[2])
    return f"a layer instead of the operation: {layer or 'see the allowed layers in the docs'}"


def _is_one_of(value: object, words: frozenset[str]) -> bool:
    return isinstance(value, str) and value in words
