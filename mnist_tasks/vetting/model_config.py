"""The static look at a model's description: its JSON, held word for word to what is allowed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mnist_tasks.vetting import allowlist, config_values
from mnist_tasks.vetting.untrusted_text import RefusedError, shown

if TYPE_CHECKING:
    from mnist_tasks.vetting.limits import Limits

_OBJECT_KEYS = allowlist.words("""
    module class_name config registered_name build_config compile_config shared_object_id name
    inbound_nodes __passive_serialization__
""")
_STRUCTURED = allowlist.words("loss metrics weighted_metrics loss_weights")
_MODEL_KEYS = allowlist.words("""
    name trainable dtype layers build_input_shape input_layers output_layers
""")


@dataclass(frozen=True, kw_only=True)
class Described:
    """One layer as its description names it; a model within a model has ``inner`` layers."""

    kind: str
    name: str
    inner: tuple[Described, ...] = ()

    def classes(self) -> list[str]:
        """Name every layer's class, in order, without the models around them."""
        if self.kind not in allowlist.MODELS:
            return [self.kind]
        return [kind for layer in self.inner for kind in layer.classes()]


@dataclass
class Reader:
    """Reads one description, and remembers what must hold across it.

    Attributes
    ----------
    shared
        The class behind each ``shared_object_id``: Keras would hand out the first object that
        bore the number, whatever the second says that it is.
    """

    limits: Limits
    shared: dict[int, str] = field(default_factory=dict)

    def model(self, value: object) -> Described:
        """Read the description of a whole model.

        Raises
        ------
        RefusedError
            Anything in it is not on the lists, or there is too much of it.
        """
        described, _ = self._model(value, depth=1)
        return described

    def training(self, value: object) -> None:
        """Read what ``compile`` was given: known optimizers, losses and metrics only."""
        if value is None:
            return
        for key, setting in config_values.mapping(value, "the training setup").items():
            self._setting(key, setting, "the training setup")

    def _model(self, value: object, *, depth: int) -> tuple[Described, int]:
        """Read a model; also say how many layer calls it makes, models within it unrolled."""
        if depth > self.limits.depth:
            raise RefusedError(f"models nest more than {self.limits.depth} deep")
        kind, item = self._object(value, "model", "the model")
        config = config_values.mapping(item["config"], "the model's config")
        name = config_values.name_of(config.get("name", item.get("name")), "a model")
        unknown = config.keys() - _MODEL_KEYS
        if unknown:
            raise RefusedError(f"a model's config has the setting '{shown(min(unknown))}'")
        for key in config.keys() & allowlist.PLAIN:
            self._setting(key, config[key], f"model '{name}'")
        for key in config.keys() & {"input_layers", "output_layers"}:
            config_values.references(config[key])
        layers = config.get("layers")
        if not isinstance(layers, list) or not layers:
            raise RefusedError(f"model '{name}' has no list of layers")
        inner = []
        calls = 0
        for layer in layers:
            described, cost = self._layer(layer, depth=depth)
            inner.append(described)
            calls += cost
            if calls > self.limits.layers:
                # Keras needs time that grows with the square of the layers.
                raise RefusedError(
                    f"more than {self.limits.layers} layers, counted as often as they are called"
                )
        self.training(item.get("compile_config"))
        return Described(kind=kind, name=name, inner=tuple(inner)), calls

    def _layer(self, value: object, *, depth: int) -> tuple[Described, int]:
        item = config_values.mapping(value, "a layer")
        nodes = item.get("inbound_nodes", [])
        if not isinstance(nodes, list):
            raise RefusedError("a layer's inbound_nodes is not a list")
        for node in nodes:
            config_values.node(node)
        if _among(item.get("class_name"), allowlist.MODELS):
            described, cost = self._model(value, depth=depth + 1)
        else:
            kind, item = self._object(value, "layer", "a layer")
            config = config_values.mapping(item["config"], "a layer's config")
            name = config_values.name_of(config.get("name", item.get("name")), f"a {kind} layer")
            self._settings(config, f"{kind} '{name}'")
            described, cost = Described(kind=kind, name=name), 1
        if "name" in item and item["name"] != described.name:
            raise RefusedError(f"layer '{described.name}' has a second name")
        return described, cost * max(1, len(nodes))

    def _object(self, value: object, family: str, where: str) -> tuple[str, dict[str, Any]]:
        """Hold an object's class and module to those of its family."""
        item = config_values.mapping(value, where)
        unknown = item.keys() - _OBJECT_KEYS
        if unknown:
            raise RefusedError(f"{where} has the key '{shown(min(unknown))}'")
        kind = item.get("class_name")
        if family == "optimizer" and isinstance(kind, str):
            kind = kind.removeprefix("Custom>")  # so Keras 2.11 and later name their own
        if not isinstance(kind, str) or not _among(kind, allowlist.FAMILIES[family].classes):
            raise RefusedError(
                f"{where} is of the class '{shown(kind)}'",
                expected=f"an allowed {family} class of Keras",
            )
        if "module" in item and not _among(item["module"], allowlist.FAMILIES[family].modules):
            raise RefusedError(
                f"{where} names the module '{shown(item['module'])}' for {kind}",
                expected=" or ".join(sorted(allowlist.FAMILIES[family].modules)),
            )
        if item.get("registered_name") not in (None, kind):
            raise RefusedError(f"{where} bears the name '{shown(item['registered_name'])}'")
        if not isinstance(item.get("config"), dict):
            raise RefusedError(f"{where} has no config")
        if family != "model" and item.get("compile_config") is not None:
            raise RefusedError(f"{where} brings a training setup of its own")
        config_values.shapes(item.get("build_config"))
        self._identity(item, kind)
        return kind, item

    def _identity(self, item: dict[str, Any], kind: str) -> None:
        number = item.get("shared_object_id")
        if number is None:
            return
        if type(number) is not int or self.shared.setdefault(number, kind) != kind:
            raise RefusedError("one shared_object_id stands for objects of two classes")

    def _settings(self, config: dict[str, Any], where: str) -> None:
        for key, value in config.items():
            if key == "name":
                config_values.name_of(value, where)
            else:
                self._setting(key, value, where)

    def _setting(self, key: str, value: object, where: str) -> None:
        if key not in allowlist.PLAIN:
            raise RefusedError(f"{where} has the setting '{shown(key)}'")
        if value is None or isinstance(value, (bool, int, float)):
            config_values.number(value, f"{where}, {key}")
        elif isinstance(value, str):
            config_values.word(key, value, where)
        elif isinstance(value, list):
            for item in value if key in _STRUCTURED else ():
                self._setting(key, item, where)
            if key not in _STRUCTURED:
                config_values.few_numbers(key, value, where)
        else:
            self._setting_object(key, config_values.mapping(value, where), where)

    def _setting_object(self, key: str, value: dict[str, Any], where: str) -> None:
        if value.get("class_name") == "function":
            self._function(key, value, where)
        elif key in _STRUCTURED and "class_name" not in value:
            for name, item in value.items():
                config_values.name_of(name, f"{where}, {key}")
                self._setting(key, item, where)
        elif key not in allowlist.OBJECTS:
            raise RefusedError(f"{where} has an object as its {key}")
        else:
            family = allowlist.OBJECTS[key]
            kind, item = self._object(value, family, f"{where}, {key}")
            if family == "dtype policy":
                config_values.word("dtype", item["config"].get("name"), where)
            self._settings(item["config"], f"{where}, {kind}")

    def _function(self, key: str, value: dict[str, Any], where: str) -> None:
        """Keras names its own functions so: module ``builtins``, the function's word as config."""
        word = value.get("config")
        if value.keys() - _OBJECT_KEYS or value.get("module") != "builtins":
            raise RefusedError(f"{where} names a function of '{shown(value.get('module'))}'")
        if value.get("registered_name") not in (None, "function", word):
            raise RefusedError(f"{where} bears the name '{shown(value['registered_name'])}'")
        config_values.word(key, word, where)


def _among(value: object, words: frozenset[str]) -> bool:
    return isinstance(value, str) and value in words
