"""Every image once an epoch, in an order and places that the seed decides."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_tasks.data import store
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.training import batches
from tests import generated


def digits(count: int = 100) -> LabeledImages:
    images, labels = generated.digits(count)
    return LabeledImages(images=images, labels=labels)


@given(count=st.integers(1, 500), batch_size=st.integers(1, 600))
def test_the_sizes_add_up_and_none_is_too_small(count: int, batch_size: int) -> None:
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
def test_every_image_comes_once_with_its_label(batch_size: int) -> None:
    data = digits()
    runs = list(
        batches.epoch(
            data, batch_size=batch_size, max_shift=0, steps=3, random=np.random.default_rng(1)
        )
    )
    images = np.concatenate([run.reshape(-1, 28, 28) for run, _ in runs])
    labels = np.concatenate([run.ravel() for _, run in runs])
    assert all(len(run) <= 3 for run, _ in runs)
    assert all(run.shape[:2] == marks.shape for run, marks in runs)
    place = {image.tobytes(): number for number, image in enumerate(data.images)}
    order = [place[image.tobytes()] for image in images]
    assert sorted(order) == list(range(100))
    assert order != sorted(order)
    np.testing.assert_array_equal(labels, data.labels[order])
    assert images.dtype == np.uint8
    assert labels.dtype == np.int32


def test_the_seed_decides_and_each_epoch_is_another() -> None:
    def first_labels(random: np.random.Generator) -> list[int]:
        run = next(batches.epoch(digits(), batch_size=50, max_shift=1, steps=1, random=random))
        return [int(label) for label in run[1].ravel()]

    random = np.random.default_rng(3)
    first, second = first_labels(random), first_labels(random)
    assert first == first_labels(np.random.default_rng(3))
    assert first != second


def test_a_shift_moves_an_image_and_nothing_else() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10, 10] = 255
    data = LabeledImages(images=np.repeat(image, 400, axis=0), labels=np.zeros(400, np.uint8))
    ((moved, _),) = batches.epoch(
        data, batch_size=400, max_shift=2, steps=1, random=np.random.default_rng(0)
    )
    places = {tuple(map(int, place)) for place in np.argwhere(moved[0])[:, 1:]}
    assert places == {(row, column) for row in range(8, 13) for column in range(8, 13)}


def test_a_shift_at_the_border_brings_in_black() -> None:
    data = LabeledImages(images=np.full((50, 28, 28), 9, np.uint8), labels=np.zeros(50, np.uint8))
    ((moved, _),) = batches.epoch(
        data, batch_size=50, max_shift=1, steps=1, random=np.random.default_rng(0)
    )
    assert set(np.unique(moved)) == {0, 9}
    assert (moved[:, :, 1:27, 1:27] == 9).all()


def test_memory_mapped_images_stay_as_they_are(small_mnist: Path) -> None:
    data = store.load(small_mnist, "train")
    before = data.images.copy()
    for _ in batches.epoch(
        data, batch_size=64, max_shift=1, steps=2, random=np.random.default_rng(0)
    ):
        pass
    np.testing.assert_array_equal(data.images, before)
