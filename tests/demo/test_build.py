"""What the page can't compute is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnist_tasks.dataset_info import MNIST
from mnist_tasks.demo import build
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting.inspection import Inspection
from mnist_tasks.vetting.network import Activation, Network, Reshape
from tests.demo import pages


def inspection(shape: tuple[int, ...], network: Network) -> Inspection:
    return Inspection(
        sha256="",
        bytes=0,
        format="h5",
        keras="Keras 3.15.1",
        layers=(),
        trainable_parameters=0,
        non_trainable_parameters=0,
        input_shapes=((None, *shape),),
        output_shapes=((None, 10),),
        network=network,
    )


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (784,)])
def test_logits_become_probabilities(shape: tuple[int, ...]) -> None:
    first = Reshape(shape=MNIST.image_shape)
    given = Network(operations=[first, *pages.operations(MNIST)[:-1]], unsupported=[])
    operations, _ = build._operations(inspection(shape, given), Path("m.h5"), MNIST)
    assert operations[:-1] == given.operations
    assert operations[-1] == Activation(function="softmax")


@pytest.mark.parametrize("shape", [(56, 14, 1), (32, 32, 1), (28, 28, 3), (1024,)])
def test_images_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    given = Network(operations=pages.operations(MNIST), unsupported=[])
    with pytest.raises(InputRefusedError, match="an input of the shape"):
        build._operations(inspection(shape, given), Path("m.h5"), MNIST)
