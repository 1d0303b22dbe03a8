"""The training loop on several devices of one machine.

Each device has a *replica* of the model and computes its share of every batch, in micro-batches of
its own. All replicas then take the same step, so they stay identical: several replicas compute what
as many micro-batches compute on one device, but for the order in which numbers are added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from mnist_tasks.training.trainer import Trainer, is_statistic

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray


class ReplicaTrainer(Trainer):
    """A model in training on all devices of a strategy, with the interface of `Trainer`.

    Parameters
    ----------
    model, optimizer
        Made in the strategy's scope.
    micro_batches
        In how many parts each replica computes its share; every batch has an image for each part of
        each replica.
    strategy
        A ``MirroredStrategy``.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        *,
        micro_batches: int,
        strategy: Any,
    ) -> None:
        self._strategy = strategy
        with strategy.scope():
            super().__init__(model, optimizer, micro_batches=micro_batches)

    def run(self, images: NDArray[np.uint8], labels: NDArray[np.int32]) -> tuple[float, int]:
        """Take one step for each batch; a batch is that of all replicas together."""
        with self._strategy.scope():
            return super().run(images, labels)

    def finish(self) -> None:
        """Give the model the average of its weights, where the optimizer keeps one."""
        with self._strategy.scope():
            super().finish()

    def _take_step(self, images: Any, labels: Any) -> tuple[Any, Any]:
        # Here and not in the replicas is the loop over steps: in a loop they can't meet.
        sums = self._strategy.run(self._take_share, args=(images, labels))
        loss, correct = (self._strategy.experimental_local_results(each)[0] for each in sums)
        return loss, correct

    def _take_share(self, images: Any, labels: Any) -> tuple[Any, Any]:
        """Compute this replica's share of a batch, and take the step of all."""
        context = tf.distribute.get_replica_context()
        replicas, me = context.num_replicas_in_sync, context.replica_id_in_sync_group
        count = tf.shape(labels)[0]
        share = slice(count * me // replicas, count * (me + 1) // replicas)
        states = self._model.non_trainable_variables
        # A replica drops out what its micro_batches would: the seeds count calls.
        entry = [
            state.value if is_statistic(state) else _later(state.value, me * self._towers)
            for state in states
        ]
        gradients, ends, loss, correct = self._differentiate(
            images[share], labels[share], entry, count=count
        )
        # The optimizer sums the gradients of all replicas itself, and the average of the weights
        # follows on each.
        self._optimizer.apply(gradients, self._model.trainable_variables)
        means = [end / replicas for end in ends if is_statistic(end)]
        *sums, loss, correct = context.all_reduce(
            tf.distribute.ReduceOp.SUM, [*means, loss, tf.cast(correct, tf.float32)]
        )
        statistics = iter(sums)
        for state in states:
            state.assign(
                next(statistics)
                if is_statistic(state)
                else _later(state.value, replicas * self._towers)
            )
        return loss, tf.cast(correct, tf.int32)


def _later(seed: Any, calls: Any) -> Any:
    """Return the state of a Keras seed generator, (2,) uint32, after so many calls."""
    return seed + tf.cast(tf.stack([0, calls]), seed.dtype)
