"""How a forgery is written: a network that passes, changed, in the formats of Keras 3 and 2."""

from __future__ import annotations

import copy
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from mnist_tasks.checking.contract import Contract, Noise, Perturbed, Rotate, Shift
from tests.vetting.crafted import handmade, trained
from tests.vetting.crafted.handmade import call, functional
from tests.vetting.crafted.row import CONTRACT_FAILED, Row
from tests.vetting.crafted.trained import FIRST, FLATTEN, INPUT, LAST, POOL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Config = dict[str, Any]
    Weights = dict[str, dict[str, Any]]
    Edit = Callable[[Any], None] | None

PASSED = 0
DEFAULT = Contract()
#: Every clause on predictions at once.
STRICT = Contract(
    accuracy_above=0.95,
    worst_recall_above=0.9,
    calibration_error_below=0.05,
    confidence=0.99,
    perturbed=Perturbed(
        shift=Shift(pixels=1, accuracy_above=0.8),
        rotate=Rotate(degrees=10, accuracy_above=0.9),
        noise=Noise(sigma=0.1, accuracy_above=0.9),
    ),
)


def forged(
    name: str,
    tries: str,
    reason: str,
    config: Config | Callable[[], Config],
    *,
    exit_code: int = CONTRACT_FAILED,
    contract: Contract = DEFAULT,
    weights: Callable[[], Weights] = trained.weights,
    kind: str = "forged verdict",
    formats: str = "keras keras2",
    static: bool = False,
    edit: Callable[[Any], None] | None = None,
) -> list[Row]:
    """Return a row for each format.

    Parameters
    ----------
    tries
        What the file tries, in one line; for a sound twin, what is sound about it.
    config
        The description, or what makes it if it depends on the images.
    formats
        Some of ``keras``, ``h5``, and of Keras 2 ``keras2`` (an .h5 file) and ``keras2_archive``.
    static
        The static check already refuses it.
    edit
        May change an .h5 file before it is closed.
    """
    rows = []
    for written in formats.split():
        end, write = _FORMATS[written]

        def make(path: Path, _canary: Path, write: Any = write) -> None:
            made = config() if callable(config) else copy.deepcopy(config)
            path.write_bytes(write(made, weights(), edit))

        rows.append(
            Row(
                name=f"{name}{end}",
                kind="sound twins" if exit_code == PASSED else kind,
                exit_code=exit_code,
                reason=reason,
                make=make,
                needs_keras=not static,
                tries=tries,
                contract=contract,
            )
        )
    return rows


def sound(name: str, tries: str, config: Config | Callable[[], Config], **more: Any) -> list[Row]:
    """Return a row for each format of a file that passes the contract."""
    more.setdefault("formats", "keras h5 keras2")
    return forged(name, tries, "^$", config, exit_code=PASSED, **more)


def between(*items: Config, before: str = "end", options: Config | None = None) -> Config:
    """Return the trained network as a chain with more layers.

    Parameters
    ----------
    items
        Layers, called one after the other; ``options`` are those of their calls.
    before
        Where: ``pool``, ``flatten``, ``hidden`` (before the last layer) or ``end``.
    """
    chain = {"pool": [POOL], "flatten": [FLATTEN, FIRST], "hidden": [LAST], "end": []}
    layers: list[tuple[Config, Config]] = [(INPUT, {})]
    for place, usual in chain.items():
        layers += [(item, options or {}) for item in items if place == before]
        layers += [(item, {}) for item in usual]
    return chained(layers)


def chained(layers: list[tuple[Config, Config]]) -> Config:
    """Return a functional model that calls each layer on the one before."""
    calls: list[Config] = []
    source: tuple[str, ...] = ()
    for item, options in layers:
        calls.append(call(item, *source, **options))
        source = (item["config"]["name"],)
    return functional(calls, [layers[0][0]["config"]["name"]], list(source))


def graph(*items: tuple[Config, list[str]], output: str, **more: Any) -> Config:
    """Return a functional model of layers with their sources, beside the trained ones.

    Those are ``pool``, ``flatten``, ``dense`` and ``dense_1``.
    """
    named = [
        (INPUT, []),
        (POOL, ["input_layer"]),
        (FLATTEN, ["pool"]),
        (FIRST, ["flatten"]),
        (LAST, ["dense"]),
        *items,
    ]
    calls = [call(item, *sources) for item, sources in named]
    return functional(calls, ["input_layer"], [output], **more)


def _keras(
    config: Config,
    weights: Weights,
    _edit: Edit,
    version: str = "3.15.1",
    edit_weights: Edit = None,
) -> bytes:
    stored = {
        f"layers/{layer.replace('/', '/layers/')}/vars/{number}": value
        for layer, values in weights.items()
        for number, value in enumerate(values.values())
    }
    return handmade.write_keras(config, handmade.write_weights(stored, edit=edit_weights), version)


def _h5(config: Config, weights: Weights, edit: Edit, version: str = "3.15.1") -> bytes:
    groups: Weights = defaultdict(dict)
    for layer, values in weights.items():
        group, _, inner = layer.partition("/")
        groups[group].update({f"{inner}/{name}".lstrip("/"): each for name, each in values.items()})

    def finish(file: Any) -> None:
        file.attrs["keras_version"] = version
        if edit is not None:
            edit(file)

    return handmade.write_h5(config, dict(groups), edit=finish)


def _keras_2(config: Config, weights: Weights, edit: Edit) -> bytes:
    omitted = frozenset({"module", "registered_name", "build_config"})
    return _h5(_as_keras_2(config, omitted), weights, edit, "2.15.0")


def _keras_2_archive(config: Config, weights: Weights, edit: Edit) -> bytes:
    def add_groups(file: Any) -> None:
        for group in _groups(config):
            file.require_group(group)

    return _keras(_as_keras_2(config), weights, edit, "2.15.0", add_groups)


def _groups(model: Config, path: str = "") -> Iterator[str]:
    """Yield the groups of variables that Keras 2 reads: of each layer, if it has some or not."""
    yield f"{path}vars"
    seen: Counter[str] = Counter()
    for item in model["config"].get("layers", ()):
        name = re.sub("([a-z])([A-Z])", r"\1_\2", item["class_name"]).lower()
        number = f"_{seen[name]}" if seen[name] else ""
        seen[name] += 1
        yield from _groups(item, f"{path}layers/{name}{number}/")


def _as_keras_2(
    item: Any, omitted: frozenset[str] = frozenset(), models: frozenset[str] = frozenset()
) -> Any:
    """Return a description as Keras 2 wrote it: calls as lists, and in .h5 files no modules.

    The first call of a nested model has the number 1 there; ``models`` are their names.
    """
    if isinstance(item, list):
        return [_as_keras_2(each, omitted, models) for each in item]
    if not isinstance(item, dict):
        return item
    layers = item.get("layers", ())
    models = models | {each["config"]["name"] for each in layers if "layers" in each["config"]}
    kept = item.keys() - omitted - {"inbound_nodes"}
    old = {key: _as_keras_2(item[key], omitted, models) for key in item if key in kept}
    if old.get("module") == "keras.src.models.functional":
        old["module"] = "keras.src.engine.functional"
    if "batch_shape" in old:
        old["batch_input_shape"] = old.pop("batch_shape")
    if "inbound_nodes" in item:
        old["inbound_nodes"] = [_node_of_keras_2(node, models) for node in item["inbound_nodes"]]
    if "output_layers" in item:
        old["output_layers"] = [
            [name, node + (name in models), tensor] for name, node, tensor in item["output_layers"]
        ]
    return old


def _node_of_keras_2(node: Config, models: frozenset[str]) -> list[Any]:
    first = node["args"][0]
    calls = [each["config"]["keras_history"] for each in _as_list(first)]
    return [[name, number + (name in models), 0, node["kwargs"]] for name, number, _ in calls]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_FORMATS: dict[str, tuple[str, Callable[[Config, Weights, Edit], bytes]]] = {
    "keras": (".keras", _keras),
    "h5": (".h5", _h5),
    "keras2": ("_keras2.h5", _keras_2),
    "keras2_archive": ("_keras2.keras", _keras_2_archive),
}
