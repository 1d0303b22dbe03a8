"""The training images as shuffled batches, scaled on the way into the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnist_tasks.data.store import Digits


def shuffled(digits: Digits, *, batch_size: int, seed: int) -> Any:
    """Return a ``tf.data.Dataset`` of batches, shuffled anew for each epoch.

    The images stay bytes until their batch is due: a quarter of the memory, and no pass over all
    of them before the first step.

    Returns
    -------
    batches
        Of images (batch, 28, 28, 1) float32 in [0, 1] and labels (batch,) uint8.
    """
    import tensorflow as tf

    count = len(digits.labels)
    images = tf.constant(digits.images)
    labels = tf.constant(digits.labels)

    def gather(indices: Any) -> tuple[Any, Any]:
        pixels = tf.cast(tf.gather(images, indices), tf.float32)
        return pixels[..., tf.newaxis] / 255.0, tf.gather(labels, indices)

    return (
        tf.data.Dataset.range(count)
        .shuffle(count, seed=seed)
        .batch(batch_size)
        .map(gather)
        .prefetch(4)
    )
