"""The process that runs what was converted, without Keras: as its users do, from the file alone."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np

from mnist_tasks import fast_import
from mnist_tasks.exporting import child, protocol
from mnist_tasks.exporting.child import Call
from mnist_tasks.exporting.results import INPUT


def main() -> None:
    """Run the exported model in the working folder, then end the process."""
    child.answer(protocol.Run, _run)


def _run(request: protocol.Run) -> protocol.Ran:
    call, versions = _OPENERS[request.format](request)
    given, size = child.inputs(), request.batch_size
    latency, alone = child.one_at_a_time(call, given, request.latency_runs)
    outputs = [
        np.asarray(call(np.array(given[start : start + size])), np.float32)
        for start in range(0, len(given), size)
    ]
    np.save(protocol.ALONE, alone, allow_pickle=False)
    np.save(protocol.OUTPUTS, np.concatenate(outputs), allow_pickle=False)
    return protocol.Ran(latency=latency, versions=versions)


def _open_onnx(request: protocol.Run) -> tuple[Call, dict[str, str]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        protocol.ARTIFACT, options, providers=["CPUExecutionProvider"]
    )
    return (
        lambda images: session.run([request.output], {INPUT: images})[0],
        {"onnxruntime": onnxruntime.__version__},
    )


def _open_litert(request: protocol.Run) -> tuple[Call, dict[str, str]]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=protocol.ARTIFACT, num_threads=1)
    predict = interpreter.get_signature_runner()
    return (
        lambda images: predict(**{INPUT: images})[request.output],
        {"ai-edge-litert": metadata.version("ai-edge-litert")},
    )


def _open_saved_model(request: protocol.Run) -> tuple[Call, dict[str, str]]:
    with fast_import.light():
        import tensorflow as tf
    child.use_one_thread()
    loaded = tf.saved_model.load(protocol.ARTIFACT)
    predict = loaded.signatures["serving_default"]

    def call(images: Any) -> Any:
        _ = loaded  # its variables live as long as it does
        return predict(**{INPUT: tf.constant(images)})[request.output]

    return call, {"tensorflow": tf.__version__}


_OPENERS = {
    "onnx": _open_onnx,
    "litert": _open_litert,
    "saved-model": _open_saved_model,
}
