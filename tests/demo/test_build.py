"""What the page can't compute is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnist_tasks.dataset_info import MNIST
from mnist_tasks.demo import build
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting import network
from mnist_tasks.vetting.inspection import Inspection
from mnist_tasks.vetting.network import Network, Reshape
from tests.demo import pages


def inspection(shape: tuple[int, ...], found: Network) -> Inspection:
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
        network=found,
    )


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (784,)])
def test_images_of_the_data_set_are_computed(shape: tuple[int, ...]) -> None:
    first, last = Reshape(shape=MNIST.image_shape), Reshape(shape=(1, 1, 10))
    given = Network(operations=[first, *pages.operations(MNIST), last], unsupported=[])
    operations, sizes = build._operations(inspection(shape, given), Path("m.h5"), MNIST)
    assert operations == given.operations  # no other softmax
    assert sizes == network.sizes(shape)


@pytest.mark.parametrize("shape", [(56, 14, 1), (32, 32, 1), (28, 28, 3), (1024,)])
def test_images_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    given = Network(operations=pages.operations(MNIST), unsupported=[])
    with pytest.raises(InputRefusedError, match="an input of the shape"):
        build._operations(inspection(shape, given), Path("m.h5"), MNIST)
