"""Build a Sequential once, not anew for each of its layers: Keras's own time grows quadratically.

`Sequential.from_config` adds the layers one by one, and each time Keras 3 calls all of them again
and Keras 2 makes the graph again. 250 layers take it half a minute.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def keras_3(sequential: Any) -> Iterator[None]:
    """Make `from_config` of Keras 3's Sequential add all layers before it builds the model."""
    from_config, rebuild = sequential.from_config, sequential._maybe_rebuild  # noqa: SLF001

    def build_at_the_end(config: dict[str, Any], custom_objects: Any = None) -> Any:
        unbuilt = {**config, "build_input_shape": None}
        model = from_config(unbuilt, custom_objects)
        rebuild(model)
        shape = config.get("build_input_shape")
        if model._functional is None and shape:  # noqa: SLF001 - there is no InputLayer
            model.build(shape)
        return model

    with (
        _replaced(sequential, "from_config", build_at_the_end),
        _replaced(sequential, "_maybe_rebuild", lambda _model: None),
    ):
        yield


@contextlib.contextmanager
def keras_2(sequential: Any) -> Iterator[None]:
    """Make `from_config` of Keras 2's Sequential make the graph once all layers are added."""
    from_config, make_graph = sequential.from_config, sequential._init_graph_network  # noqa: SLF001

    def only_list_the_layer(model: Any, _inputs: Any, outputs: list[Any]) -> None:
        model._self_tracked_trackables.append(outputs[0]._keras_history.layer)  # noqa: SLF001

    def graph_at_the_end(config: Any, custom_objects: Any = None) -> Any:
        with _replaced(sequential, "_init_graph_network", only_list_the_layer):
            model = from_config(config, custom_objects)
        if model.inputs:
            make_graph(model, model.inputs, model.outputs)
        return model

    with _replaced(sequential, "from_config", graph_at_the_end):
        yield


@contextlib.contextmanager
def _replaced(owner: type, name: str, value: Any) -> Iterator[None]:
    own = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own is None:  # it is inherited
            delattr(owner, name)
        else:
            setattr(owner, name, own)
