"""Perturbed images: the same at every check, and perturbed as the contract specifies."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tasks.checking import perturbations
from mnist_tasks.checking.contract import Noise, Rotate, Shift
from tests import generated

IMAGES = generated.digits(300)[0]


COLORED = np.stack([IMAGES, IMAGES[:, ::-1], IMAGES // 2], axis=-1)[:, :20, :24]


def dot(row: int, column: int, count: int = 200) -> NDArray[np.uint8]:
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, row, column] = 255
    return images


@pytest.mark.parametrize(
    ("perturbation", "total"),
    [
        (Shift(pixels=2, accuracy_above=0), 7_782_663),
        (Rotate(degrees=10, accuracy_above=0), 7_926_926),
        (Noise(sigma=0.2, accuracy_above=0), 10_861_386),
    ],
    ids=["shift", "rotate", "noise"],
)
def test_the_images_are_the_same_every_time(
    perturbation: Shift | Rotate | Noise, total: int
) -> None:
    """If a total changes, verdicts are not comparable with older ones: announce it to users."""
    before = IMAGES.copy()
    found = perturbations.perturb(IMAGES, perturbation)
    assert (found.shape, found.dtype) == (IMAGES.shape, IMAGES.dtype)
    assert (found == perturbations.perturb(IMAGES, perturbation)).all()
    assert (found != IMAGES).any(axis=(1, 2)).all()
    assert (before == IMAGES).all()
    assert int(found.sum()) == pytest.approx(total, rel=1e-6)  # machines round differently


@pytest.mark.parametrize("pixels", [1, 2, 3, 4])
def test_a_shift_goes_in_all_eight_directions_and_no_further(pixels: int) -> None:
    moved = perturbations.shift(dot(14, 14), pixels)
    _, rows, columns = np.nonzero(moved)
    assert len(rows) == 200
    directions = set(zip((rows - 14).tolist(), (columns - 14).tolist(), strict=True))
    near = (-pixels, 0, pixels)
    assert directions == {(down, right) for down in near for right in near} - {(0, 0)}


def test_what_leaves_the_image_does_not_come_back() -> None:
    moved = perturbations.shift(dot(0, 0), 2)
    assert set(moved.sum(axis=(1, 2)).tolist()) == {0, 255}
    assert not moved[:, 3:].any()
    assert not moved[:, :, 3:].any()


def test_a_quarter_turn_is_exact_both_ways() -> None:
    rotated = perturbations.rotate(IMAGES, 90)
    clockwise = (rotated == np.rot90(IMAGES, -1, axes=(1, 2))).all(axis=(1, 2))
    other = (rotated == np.rot90(IMAGES, 1, axes=(1, 2))).all(axis=(1, 2))
    assert (clockwise ^ other).all()
    assert 100 < clockwise.sum() < 200


def test_a_rotation_by_zero_changes_nothing() -> None:
    assert (perturbations.rotate(IMAGES, 0.0) == IMAGES).all()


def test_a_rotation_mixes_the_four_nearest_pixels() -> None:
    """The reference rotates pixel by pixel."""
    angle = np.radians(17)
    rotated = perturbations._rotate(IMAGES[:3], float(angle))
    cosine, sine = np.cos(angle), np.sin(angle)
    for image, found in zip(IMAGES[:3], rotated, strict=True):
        for row in range(28):
            for column in range(28):
                y = cosine * (row - 13.5) - sine * (column - 13.5) + 13.5
                x = sine * (row - 13.5) + cosine * (column - 13.5) + 13.5
                value = sum(
                    float(image[i, j]) * (1 - abs(y - i)) * (1 - abs(x - j))
                    for i in (int(np.floor(y)), int(np.floor(y)) + 1)
                    for j in (int(np.floor(x)), int(np.floor(x)) + 1)
                    if 0 <= i < 28 and 0 <= j < 28
                )
                assert abs(found[row, column] - value) <= 0.51


def test_noise_has_the_standard_deviation_of_the_contract() -> None:
    gray = np.full((100, 28, 28), 128, np.uint8)
    noisy = perturbations.add_noise(gray, 0.1).astype(float)
    assert noisy.mean() == pytest.approx(128, abs=0.5)
    assert noisy.std() == pytest.approx(25.5, rel=0.02)


def test_noise_stays_within_black_and_white() -> None:
    noisy = perturbations.add_noise(IMAGES, 1.0)
    assert noisy.min() == 0
    assert noisy.max() == 255
    assert (noisy == 0).mean() > 0.2  # an overflow would make them bright


@pytest.mark.parametrize(
    "perturbation",
    [Shift(pixels=2, accuracy_above=0), Rotate(degrees=10, accuracy_above=0)],
    ids=["shift", "rotate"],
)
def test_the_channels_of_a_color_image_move_together(perturbation: Shift | Rotate) -> None:
    found = perturbations.perturb(COLORED, perturbation)
    assert found.shape == (300, 20, 24, 3)
    assert found.dtype == np.uint8
    for channel in range(3):
        alone = perturbations.perturb(COLORED[..., channel], perturbation)
        assert (found[..., channel] == alone).all()


def test_the_noise_of_a_color_image_is_in_each_channel() -> None:
    found = perturbations.add_noise(np.full((10, 20, 24, 3), 128, np.uint8), 0.1)
    assert (found[..., 0] != found[..., 1]).any()
    assert found.std(axis=(0, 1, 2)) == pytest.approx([25.5] * 3, rel=0.1)
