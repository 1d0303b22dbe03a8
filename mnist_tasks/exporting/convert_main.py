"""The process that converts: load a vetted model with Keras, and write it in another format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mnist_tasks.exporting import child, protocol
from mnist_tasks.exporting.results import CARD_FILE, CARD_KEY, INPUT, Card, ExportOutput, Values
from mnist_tasks.version import VERSION
from mnist_tasks.vetting.execution import each_alone, inference, keras_model, keras_setup
from mnist_tasks.vetting.static.static_check import vet_bytes
from mnist_tasks.vetting.untrusted_text import RefusedError

_SAMPLE = 100  # images that show what the outputs are
_SAVED_MODEL = "saved_model"


def main() -> None:
    """Convert the model in the working folder, then end the process."""
    child.answer(protocol.Convert, _convert)


def _convert(request: protocol.Convert) -> protocol.Converted:
    keras_setup.import_keras()
    import tensorflow as tf

    child.use_one_thread()
    model = _load(request)
    if request.format != "saved-model" and inference.half_precision(model):
        raise RefusedError("it computes in half precision, which other runtimes do otherwise")
    given = child.inputs()
    output = _values(model, given[:_SAMPLE])
    try:
        function, versions = _write(model, request, output, batch=None)
        batch = None
    except Exception:
        if request.format != "litert":
            raise
        # The loops of recurrent layers have a TensorList there, whose elements need a known shape.
        function, versions = _write(model, request, output, batch=1)
        batch = 1
    compiled = function.get_concrete_function()
    latency, _ = child.one_at_a_time(
        lambda images: compiled(tf.constant(images))[output], given, request.latency_runs
    )
    return protocol.Converted(output=output, batch=batch, latency=latency, versions=versions)


def _load(request: protocol.Convert) -> Any:
    path = Path(f"{protocol.MODEL}.{request.file_format}")
    declared = vet_bytes(path.read_bytes(), file_format=request.file_format, limits=request.limits)
    return keras_model.load(
        declared,
        keras_model.library_for(declared),
        path,
        file_format=request.file_format,
        image_shape=request.image_shape,
    )


def _values(model: Any, sample: Any) -> Values:
    outputs = np.asarray(each_alone.output(model(np.array(sample), training=False)), "float64")
    return "probabilities" if inference.are_distributions(outputs).all() else "logits"


def _write(
    model: Any, request: protocol.Convert, output: Values, *, batch: int | None
) -> tuple[Any, dict[str, str]]:
    """Write the model in the format; return it as a TensorFlow function, and what wrote it.

    `batch` is the number of images that it takes; ``None`` is any.
    """
    import tensorflow as tf

    given = replace(request.input, shape=(batch, *request.input.shape[1:]))
    card = Card(
        made_by=f"mnist-tasks {VERSION}",
        model_sha256=request.sha256,
        input=given,
        output=ExportOutput(name=output, classes=request.classes),
    )

    def predict(images: Any) -> Any:
        found = each_alone.output(model(images, training=False))
        return {output: tf.cast(found, "float32")}

    signature = tf.TensorSpec(given.shape, "float32", name=INPUT)
    function = tf.function(predict, input_signature=[signature])
    return function, _WRITERS[request.format](function, msgspec.json.encode(card).decode())


def _write_saved_model(function: Any, card: str, folder: str = protocol.ARTIFACT) -> dict[str, str]:
    import tensorflow as tf

    concrete = function.get_concrete_function()
    module = tf.Module()
    module.kept = concrete.graph.variables
    tf.saved_model.save(module, folder, signatures=concrete)
    file = Path(folder, CARD_FILE)
    file.parent.mkdir(exist_ok=True)
    file.write_text(card, encoding="utf-8")
    return {"tensorflow": tf.__version__}


def _write_onnx(function: Any, card: str) -> dict[str, str]:
    import onnx
    import tf2onnx

    model, _ = tf2onnx.convert.from_function(
        function,
        input_signature=function.input_signature,
        custom_op_handlers={"Erfc": (_erfc, ["Erf"])},
    )
    entry = model.metadata_props.add()
    entry.key, entry.value = CARD_KEY, card
    Path(protocol.ARTIFACT).write_bytes(model.SerializeToString())
    (opset,) = (str(each.version) for each in model.opset_import if not each.domain)
    return {"tf2onnx": tf2onnx.__version__, "onnx": onnx.__version__, "opset": opset}


def _erfc(graph: Any, node: Any, name: str, _args: Any) -> None:
    """Make 1 - ``Erf``, which the node is now, of the ``Erfc`` in gelu, which ONNX lacks."""
    one = graph.make_const(f"{name}__one", np.array(1, "float32")).output[0]
    output = node.output[0]
    graph.insert_new_node_on_output("Sub", output, name=f"{name}__sub", inputs=[one, output])


def _write_litert(function: Any, card: str) -> dict[str, str]:
    import tensorflow as tf
    from tensorflow.lite.tools import flatbuffer_utils

    _write_saved_model(function, card, _SAVED_MODEL)
    content = tf.lite.TFLiteConverter.from_saved_model(_SAVED_MODEL).convert()
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    model.description = card
    Path(protocol.ARTIFACT).write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    return {"tensorflow": tf.__version__}


_WRITERS = {
    "onnx": _write_onnx,
    "litert": _write_litert,
    "saved-model": _write_saved_model,
}
