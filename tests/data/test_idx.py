"""Memory-mapped IDX files."""

from pathlib import Path

import numpy as np
import pytest

from mnist_tasks.data import datasets, idx
from mnist_tasks.errors import InputRefusedError
from tests import generated


def test_a_file_is_mapped_read_only(small_mnist: Path) -> None:
    images, labels = datasets.SPLITS["train"]
    expected_images, expected_labels = generated.digits(512, seed=0)
    mapped = idx.memory_map(small_mnist / images.name, images)
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    np.testing.assert_array_equal(mapped, expected_images)
    np.testing.assert_array_equal(
        idx.memory_map(small_mnist / labels.name, labels), expected_labels
    )


@pytest.mark.parametrize("keep", [0, 3, 16, 1000, -1])
def test_a_truncated_file_is_refused(small_mnist: Path, keep: int) -> None:
    images, _ = datasets.SPLITS["train"]
    path = small_mnist / images.name
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputRefusedError, match="bytes that start with"):
        idx.memory_map(path, images)


def test_a_file_of_another_shape_is_refused(small_mnist: Path) -> None:
    with pytest.raises(InputRefusedError) as caught:
        idx.memory_map(small_mnist / datasets.SPLITS["test"][0].name, datasets.SPLITS["train"][0])
    assert "(512, 28, 28)" in str(caught.value.expected)


def test_a_missing_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError) as caught:
        idx.memory_map(tmp_path / "none", datasets.TRAIN_IMAGES)
    assert "mnist-tasks fetch" in str(caught.value.remedy)
