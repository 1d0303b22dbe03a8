"""The trainer for several devices of one machine.

Each device has a *replica* of the model, and computes its share of every batch in micro-batches.
All replicas then take the same step, so that they stay identical. The result is that of one device
with as many micro-batches in total, except for the order in which numbers are added.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from mnist_tasks.training.trainer import Trainer, is_statistic


class ReplicaTrainer(Trainer):
    """A `Trainer` on several devices.

    Build and use it in the scope of a ``MirroredStrategy``. Every batch has at least one image for
    each micro-batch of each replica.
    """

    def _take_step(self, images: Any, labels: Any) -> tuple[Any, Any]:
        # The loop over steps is outside of the replicas: they can't synchronize inside of one.
        strategy = tf.distribute.get_strategy()
        results = strategy.run(self._take_share, args=(images, labels))
        loss, correct = (strategy.experimental_local_results(each)[0] for each in results)
        return loss, correct

    def _take_share(self, images: Any, labels: Any) -> tuple[Any, Any]:
        """Compute this replica's share of a batch, and take the common step."""
        context = tf.distribute.get_replica_context()
        replicas, index = context.num_replicas_in_sync, context.replica_id_in_sync_group
        count = tf.shape(labels)[0]
        share = slice(count * index // replicas, count * (index + 1) // replicas)
        states = self._model.non_trainable_variables
        # The seeds of dropout count calls: each micro-batch gets the seed it has on one device.
        before = [
            state.value
            if is_statistic(state)
            else _advanced(state.value, index * self._micro_batches)
            for state in states
        ]
        gradients, after, loss, correct = self._differentiate(
            images[share], labels[share], before, count=count
        )
        # The optimizer itself sums the gradients of all replicas.
        self._optimizer.apply(gradients, self._weights.variables)
        means = [state / replicas for state in after if is_statistic(state)]
        *sums, loss, correct = context.all_reduce(
            tf.distribute.ReduceOp.SUM, [*means, loss, tf.cast(correct, tf.float32)]
        )
        statistics = iter(sums)
        for state in states:
            state.assign(
                next(statistics)
                if is_statistic(state)
                else _advanced(state.value, replicas * self._micro_batches)
            )
        return loss, tf.cast(correct, tf.int32)


def _advanced(seed: Any, calls: Any) -> Any:
    """Return the state of a Keras seed generator, (2,) uint32, after a number of calls."""
    return seed + tf.cast(tf.stack([0, calls]), seed.dtype)
