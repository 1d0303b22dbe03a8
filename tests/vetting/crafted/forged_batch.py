"""Forgeries that profit from how they are called: other images, place, batch size, calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.vetting.crafted.forgery import between, forged, graph, sound
from tests.vetting.crafted.handmade import call, dense, functional, input_layer, layer, sequential
from tests.vetting.crafted.row import REFUSED
from tests.vetting.crafted.trained import FIRST, FLATTEN, INPUT, LAST, POOL, weights

if TYPE_CHECKING:
    from tests.vetting.crafted.row import Row

    Config = dict[str, Any]
    Weights = dict[str, dict[str, Any]]

_ALONG = "works along the images of a batch"
_HEIGHT = r"takes the batch for the height of an image|the shape \(1, "
_ONE: Config = {"height": 1, "width": 28}
_SHIFT: Config = {"height_factor": 0.1, "width_factor": 0.0}
_SHAPE = "has an output of the shape"
_ALL = "keras h5 keras2 keras2_archive"


def _after(kind: str, *, before: str = "end", **settings: Any) -> Config:
    return between(layer(kind, "mix", **settings), before=before)


def _merged(kind: str, **settings: Any) -> Config:
    """Merge the output with itself."""
    return graph((layer(kind, "mix", **settings), ["dense_1", "dense_1"]), output="mix")


def _rows_as_images(kind: str, **settings: Any) -> Config:
    """Give an image layer the rows of all images as one image: three dimensions, not four.

    A batch of one image comes out, and is added to each.
    """
    items: list[Config] = [
        layer("Reshape", "rows", target_shape=[28, 28]),
        layer(kind, "mix", **settings),
        layer("Reshape", "back", target_shape=[28, 28, 1]),
        layer("Rescaling", "none", scale=0.0, offset=0.0),
    ]
    calls, source = [call(INPUT)], "input_layer"
    for item in items:
        calls.append(call(item, source))
        source = item["config"]["name"]
    calls.append(call(layer("Add", "add"), "input_layer", source))
    source = "add"
    for item in (POOL, FLATTEN, FIRST, LAST):
        calls.append(call(item, source))
        source = item["config"]["name"]
    return functional(calls, ["input_layer"], [source])


def _one_each(item: Config) -> Config:
    """Reduce each image to one number, so that a layer sees a vector of images."""
    return graph(
        (dense(1, "dense_2", activation="linear"), ["dense_1"]),
        (layer("Reshape", "scalar", target_shape=[]), ["dense_2"]),
        (item, ["scalar"]),
        (layer("Reshape", "vector", target_shape=[1]), ["mix"]),
        (layer("Multiply", "multiply"), ["dense_1", "vector"]),
        output="multiply",
    )


def _with_scalar() -> Weights:
    import numpy as np

    one = {"kernel": np.zeros((10, 1), "f4"), "bias": np.ones(1, "f4")}
    return {**weights(), "dense_2": one}


def _with_statistics() -> Weights:
    import numpy as np

    usual = {"moving_mean": np.zeros(1, "f4"), "moving_variance": np.ones(1, "f4")}
    return {"batch_normalization": usual, **weights()}


def _nested(kind: str, depth: int, **settings: Any) -> Config:
    inner: Config = sequential(
        input_layer((10,), name="inner_input"), layer(kind, "mix", **settings), name="m0"
    )
    inner["config"].pop("build_input_shape")
    for number in range(1, depth):
        source = f"in{number}"
        name = inner["config"]["name"]
        inner = functional(
            [call(input_layer((10,), name=source)), call(inner, source)],
            [source],
            [name],
            name=f"m{number}",
        )
    return between(inner)


_MIXING: list[tuple[str, str, str, Config]] = [
    ("concatenate", "double the batch to learn its size", _ALONG, _merged("Concatenate", axis=0)),
    ("concatenate_end", "the batch as the axis -2", _ALONG, _merged("Concatenate", axis=-2)),
    ("concatenate_false", "the axis as false", _ALONG, _merged("Concatenate", axis=False)),
    ("softmax", "compare the images of a batch", _ALONG, _after("Softmax", axis=0)),
    ("softmax_end", "the batch as the axis -2", _ALONG, _after("Softmax", axis=-2)),
    ("softmax_axes", "the batch among several axes", _ALONG, _after("Softmax", axis=[0, 1])),
    ("unit_norm", "normalise an image by others", _ALONG, _after("UnitNormalization", axis=0)),
    ("unit_norm_axes", "the same by two axes", _ALONG, _after("UnitNormalization", axis=[1, 0])),
    ("resizing", "scale the batch to one", _HEIGHT, _rows_as_images("Resizing", **_ONE)),
    ("center_crop", "keep an image of the batch", _HEIGHT, _rows_as_images("CenterCrop", **_ONE)),
    ("random_crop", "keep an image by chance", _HEIGHT, _rows_as_images("RandomCrop", **_ONE)),
    ("flip", "reverse the batch", _HEIGHT, _rows_as_images("RandomFlip", mode="vertical")),
    ("zoom", "zoom the batch", _HEIGHT, _rows_as_images("RandomZoom", height_factor=0.1)),
    ("shift", "shift the batch", _HEIGHT, _rows_as_images("RandomTranslation", **_SHIFT)),
    ("softmax_ends", "batch and classes from their end", _ALONG, _after("Softmax", axis=[-2, -1])),
    ("unit_norm_end", "the batch as the axis -2", _ALONG, _after("UnitNormalization", axis=-2)),
    ("nested_norm", "normalise two deep", _ALONG, _nested("UnitNormalization", 2, axis=0)),
    ("nested", "mix in a model within the model", _ALONG, _nested("Softmax", 1, axis=0)),
    ("nested_deeply", "mix four models deep", _ALONG, _nested("Softmax", 4, axis=0)),
]
# What Keras itself doesn't build with a batch of open size.
_UNBUILDABLE: list[tuple[str, str, Config]] = [
    ("concatenate_float", "the axis as 0.0", _merged("Concatenate", axis=0.0)),
    ("layer_norm", "normalise an image by others", _after("LayerNormalization", axis=0)),
    ("layer_norm_axes", "the same by two axes", _after("LayerNormalization", axis=[-2, -1])),
    ("batch_norm", "statistics by an image's place", _after("BatchNormalization", axis=0)),
    ("group_norm", "groups along the batch", _after("GroupNormalization", groups=1, axis=0)),
    ("constants", "constants by place", _after("Normalization", axis=0, mean=[0], variance=[1])),
    ("permute", "swap batch and classes", _after("Permute", dims=[0, 1])),
    ("permute_float", "the same in floats", _after("Permute", dims=[0.0, 1.0])),
]
_RANDOM: list[tuple[str, str, Config]] = [
    ("rotation", "turn the batch", {"factor": 0.1}),
    ("contrast", "the contrast of the batch", {"factor": 0.1}),
    ("brightness", "the brightness of the batch", {"factor": 0.1}),
    ("erasing", "erase a part of the batch", {}),
    ("gaussian_blur", "blur the images into each other", {}),
]
_TRAINING = {"training": True}
_CHANCE = "depends on earlier calls or on chance"

ROWS: list[Row] = [
    *(
        row
        for name, tries, reason, config in _MIXING
        for row in forged(
            f"batch_{name}", tries, reason, config, formats="keras keras2 keras2_archive"
        )
    ),
    *(
        row
        for name, tries, config in _UNBUILDABLE
        for row in forged(f"batch_{name}", tries, "can't build", config, exit_code=REFUSED)
    ),
    *(
        row
        for name, tries, settings in _RANDOM
        for row in forged(
            f"batch_{name}",
            tries,
            _HEIGHT,
            _rows_as_images("Random" + name.title().replace("_", ""), **settings),
            formats="keras",
        )
    ),
    *forged(
        "batch_rms_norm",
        "normalise an image by others",
        "can't build",
        _after("RMSNormalization", axis=0),
        exit_code=REFUSED,
        formats="keras h5",
    ),
    *forged(
        "batch_dot",
        "products of images",
        r"output of the shape \(10, 1\)",
        _merged("Dot", axes=[0, -2]),
        formats="keras h5",
    ),
    *forged(
        "batch_vector_softmax",
        "softmax over the vector of all images",
        _SHAPE,
        _one_each(layer("Softmax", "mix")),
        weights=_with_scalar,
        formats="keras h5",
    ),
    *forged(
        "batch_vector_norm",
        "normalise the vector of all images",
        _SHAPE,
        _one_each(layer("UnitNormalization", "mix")),
        weights=_with_scalar,
    ),
    *forged(
        "training_dropout",
        "drop by chance, and pass now and then",
        _CHANCE,
        between(layer("Dropout", "drop", rate=0.2), before="hidden", options=_TRAINING),
        formats="keras2 keras2_archive",
    ),
    *forged(
        "training_batch_norm",
        "normalise images by those of the batch",
        _CHANCE,
        between(
            layer("BatchNormalization", "batch_normalization", center=False, scale=False),
            before="flatten",
            options=_TRAINING,
        ),
        weights=_with_statistics,
        formats="keras2 keras2_archive",
    ),
    *forged(
        "training_noise",
        "add noise by chance",
        _CHANCE,
        between(layer("GaussianNoise", "noise", stddev=0.1), before="pool", options=_TRAINING),
        formats="keras2 keras2_archive",
    ),
    *sound("sound_chain", "the network itself", between(), formats=_ALL),
    *sound(
        "sound_dropout",
        "dropout is off in inference",
        between(layer("Dropout", "drop", rate=0.2), before="hidden"),
    ),
    *sound(
        "sound_training_dropout",
        "Keras 3 runs a call with training=True without it in inference",
        between(layer("Dropout", "drop", rate=0.2), before="hidden", options=_TRAINING),
        formats="keras h5",
    ),
    *sound(
        "sound_axes",
        "the same layers along the classes",
        between(layer("Softmax", "softmax", axis=-1), layer("UnitNormalization", "unit", axis=1)),
    ),
    *sound(
        "sound_merge",
        "merges of an image with itself",
        graph(
            (layer("Concatenate", "both", axis=1), ["dense_1", "dense_1"]),
            (layer("Reshape", "pairs", target_shape=[2, 10]), ["both"]),
            (layer("GlobalAveragePooling1D", "mean"), ["pairs"]),
            output="mean",
        ),
    ),
    *sound(
        "sound_resizing",
        "an image layer on images",
        between(
            layer("Resizing", "up", height=56, width=56),
            layer("CenterCrop", "down", height=56, width=56),
            layer("Resizing", "back", height=28, width=28),
            before="pool",
        ),
    ),
    *sound(
        "sound_nested", "a model within the model", _nested("Softmax", 4, axis=-1), formats=_ALL
    ),
]
