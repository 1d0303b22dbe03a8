"""A model as a TensorFlow function of images that it predicts one at a time."""

from __future__ import annotations

from typing import Any

from mnist_tasks.check_records import Shape

# What these call is in the graph's library, where each operation is looked at, too.
_READS_OR_CALLS = frozenset(
    {"ReadVariableOp", "VarHandleOp", "Assert", "StatefulPartitionedCall", "While", "If", "Case"}
    # Recurrent layers of Keras 2 have a version for GPUs in the library, which never runs here.
    | {"CudnnRNNV3", "CudnnRNNBackpropV3"}
)


def function(model: Any, shape: Shape) -> Any:
    """Return a TensorFlow function that gives a model each of many images in a batch of one.

    ``None`` if the model's predictions depend on state or on chance.
    """
    import tensorflow as tf

    def alone(image: Any) -> Any:
        return output(model(image[None], training=False))[0]

    def trace(function: Any, *dimensions: int | None) -> Any:
        return tf.function(function).get_concrete_function(tf.TensorSpec(dimensions, "float32"))

    try:
        found = trace(lambda images: tf.vectorized_map(alone, images, warn=False), None, *shape)
    except ValueError:  # as for an output that was written to a variable
        if _is_pure(trace(alone, *shape).graph):
            raise
        return None
    return found if _is_pure(found.graph) else None


def output(outputs: Any) -> Any:
    """Return the only output of a model, which may have a name."""
    import tensorflow as tf

    (output,) = tf.nest.flatten(outputs)
    return output


def _is_pure(graph: Any) -> bool:
    """Return whether predictions depend on no state but the weights, and not on chance."""
    from tensorflow.python.framework import op_def_registry

    called = [node for each in graph.as_graph_def().library.function for node in each.node_def]
    # Keras 2 draws random numbers that it doesn't use: only what leads to the output counts.
    used: dict[str, Any] = {}
    pending = [tensor.op for tensor in graph.outputs]
    while pending:
        operation = pending.pop()
        if operation.name not in used:
            used[operation.name] = operation
            pending += [tensor.op for tensor in operation.inputs]
    kinds = {operation.type for operation in used.values()} | {node.op for node in called}
    writes = any("Assign" in operation.type for operation in graph.get_operations())
    return not writes and not any(
        op_def_registry.get(kind).is_stateful for kind in kinds - _READS_OR_CALLS
    )
