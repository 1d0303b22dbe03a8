"""Every image once per epoch, in an order that depends on the seed."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_tasks.data import store
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.training import augmentation, batches
from tests import generated


def digits(count: int = 100) -> LabeledImages:
    images, labels = generated.digits(count)
    return LabeledImages(images=images, labels=labels)


@given(count=st.integers(1, 500), batch_size=st.integers(1, 600))
def test_sizes_add_up_and_none_is_too_small(count: int, batch_size: int) -> None:
    sizes = batches.sizes(count, batch_size)
    assert sum(sizes) == count
    assert all(size == batch_size for size in sizes[:-1])
    assert sizes[-1] >= min(count, batch_size, batches.SMALLEST_BATCH)
    assert sizes[-1] < batch_size + batches.SMALLEST_BATCH


@given(count=st.integers(1, 500), smallest=st.integers(4, 64))
def test_no_batch_leaves_a_replica_without_images(count: int, smallest: int) -> None:
    sizes = batches.sizes(count, 64, smallest=smallest)
    assert sum(sizes) == count
    assert min(sizes) >= min(count, smallest)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 100, 1000])
def test_every_image_appears_once_with_its_label(batch_size: int) -> None:
    data = digits()
    groups = list(
        batches.epoch(data, batch_size=batch_size, steps=3, random=np.random.default_rng(1))
    )
    images = np.concatenate([pixels.reshape(-1, 28, 28) for pixels, _ in groups])
    labels = np.concatenate([marks.ravel() for _, marks in groups])
    assert all(len(pixels) <= 3 for pixels, _ in groups)
    assert all(pixels.shape[:2] == marks.shape for pixels, marks in groups)
    place = {image.tobytes(): number for number, image in enumerate(data.images)}
    order = [place[image.tobytes()] for image in images]
    assert sorted(order) == list(range(100))
    assert order != sorted(order)
    np.testing.assert_array_equal(labels, data.labels[order])
    assert images.dtype == np.uint8
    assert labels.dtype == np.int32


def test_the_order_depends_on_the_seed_and_the_epoch() -> None:
    def first_labels(random: np.random.Generator) -> list[int]:
        _, labels = next(batches.epoch(digits(), batch_size=50, steps=1, random=random))
        return [int(label) for label in labels.ravel()]

    random = np.random.default_rng(3)
    first, second = first_labels(random), first_labels(random)
    assert first == first_labels(np.random.default_rng(3))
    assert first != second


def test_memory_mapped_images_are_not_changed(small_mnist: Path) -> None:
    data = store.load(small_mnist, "train")
    before = data.images.copy()
    shift = partial(augmentation.shift, 1)
    for _ in batches.epoch(
        data, batch_size=64, steps=2, random=np.random.default_rng(0), transform=shift
    ):
        pass
    np.testing.assert_array_equal(data.images, before)
