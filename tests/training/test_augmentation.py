"""Training images are shifted, or rotated, scaled and sheared, as far as the recipe says."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from mnist_tasks.training import augmentation, recipes
from tests import generated

UNMOVED = replace(recipes.DEFAULT, max_shift=0)
IMAGES, _ = generated.digits(200)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def dots(size: int = 29, count: int = 400) -> np.ndarray:
    """Return images with a bright square of 3 x 3 pixels in the center."""
    images = np.zeros((count, size, size), np.uint8)
    center = size // 2
    images[:, center - 1 : center + 2, center - 1 : center + 2] = 200
    return images


def centers(images: np.ndarray) -> np.ndarray:
    """Return the center of gravity of each image, from its middle: (2, n), down and right."""
    places = np.arange(images.shape[1]) - (images.shape[1] - 1) / 2
    weights = images.astype(float) / images.sum(axis=(1, 2), keepdims=True)
    return np.stack([(weights.sum(axis=axis) * places).sum(axis=1) for axis in (2, 1)])


def test_a_shift_only_moves_the_image() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10, 10] = 255
    moved = augmentation.shift(2, np.repeat(image, 400, axis=0), random())
    places = {tuple(map(int, place)) for place in np.argwhere(moved)[:, 1:]}
    assert places == {(row, column) for row in range(8, 13) for column in range(8, 13)}


def test_black_pixels_move_in_at_the_border() -> None:
    moved = augmentation.shift(1, np.full((50, 28, 28), 9, np.uint8), random())
    assert set(np.unique(moved)) == {0, 9}
    assert (moved[:, 1:27, 1:27] == 9).all()


@pytest.mark.parametrize(
    ("changed", "is_affine"),
    [
        ({}, False),
        ({"max_shift": 1}, False),
        ({"max_shift": 2.0}, False),
        ({"max_shift": 1.5}, True),
        ({"max_rotation": 5.0}, True),
        ({"max_scaling": 0.1}, True),
        ({"max_shear": 0.1}, True),
    ],
)
def test_images_are_interpolated_only_where_it_is_needed(
    changed: dict[str, float], is_affine: bool
) -> None:
    recipe = replace(UNMOVED, **changed)
    assert recipe.is_affine == is_affine
    assert (augmentation.of_recipe(recipe) is None) == (not changed)


@pytest.mark.slow
@pytest.mark.usefixtures("tensorflow")
class TestTransform:
    """Affine transformations, which TensorFlow computes."""

    def test_nothing_is_changed_without_an_amount(self) -> None:
        np.testing.assert_array_equal(augmentation.transform(UNMOVED, IMAGES, random()), IMAGES)

    @pytest.mark.parametrize(
        "changed",
        [{"max_rotation": 90.0}, {"max_scaling": 0.4}, {"max_shear": 0.5}],
        ids=lambda changed: next(iter(changed)),
    )
    def test_the_center_stays(self, changed: dict[str, float]) -> None:
        moved = augmentation.transform(replace(UNMOVED, **changed), dots(), random())
        assert np.abs(centers(moved)).max() < 0.1
        assert len(np.unique(moved, axis=0)) > 100

    def test_a_shift_is_uniform_and_not_of_whole_pixels(self) -> None:
        recipe = replace(UNMOVED, max_shift=2.5)
        found = centers(augmentation.transform(recipe, dots(), random()))
        assert 2.4 < np.abs(found).max() < 2.6
        assert np.abs(found.mean(axis=1)).max() < 0.2
        np.testing.assert_allclose(found.std(axis=1), 2.5 / 3**0.5, rtol=0.1)

    def test_a_rotation_is_at_most_as_large_as_it_may_be(self) -> None:
        bar = np.zeros((400, 29, 29), np.uint8)
        bar[:, 14, 24] = 200  # to the right of the center
        moved = augmentation.transform(replace(UNMOVED, max_rotation=30.0), bar, random())
        down, right = centers(moved)
        angles = np.rad2deg(np.arctan2(down, right))
        assert 28 < np.abs(angles).max() < 31
        np.testing.assert_allclose(np.hypot(down, right), 10, atol=0.5)

    def test_the_sizes_change_by_as_much_as_they_may(self) -> None:
        square = np.zeros((400, 29, 29), np.uint8)
        square[:, 7:22, 7:22] = 200
        moved = augmentation.transform(replace(UNMOVED, max_scaling=0.2), square, random())
        heights = moved[:, :, 14].sum(axis=1, dtype=float) / 200
        widths = moved[:, 14].sum(axis=1, dtype=float) / 200
        for sizes in (heights, widths):
            assert 12.2 < sizes.min() < 13
            assert 18 < sizes.max() < 19
        assert abs(np.corrcoef(heights, widths)[0, 1]) < 0.2

    def test_a_shear_moves_rows(self) -> None:
        column = np.zeros((400, 29, 29), np.uint8)
        column[:, :, 14] = 200
        moved = augmentation.transform(replace(UNMOVED, max_shear=0.5), column, random())
        offsets = moved[:, 4].argmax(axis=1) - 14  # ten rows above the center
        assert {-5, 5} <= {offsets.min(), offsets.max()} <= set(range(-5, 6))
        assert (moved[:, 14, 14] > 150).all()

    def test_the_same_seed_gives_the_same_images(self) -> None:
        recipe = replace(UNMOVED, max_rotation=10.0, max_shift=1.5)
        first, again, other = (
            augmentation.transform(recipe, IMAGES, random(seed)) for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()

    def test_what_is_outside_is_black_and_colors_stay_together(self) -> None:
        recipe = replace(UNMOVED, max_rotation=45.0)
        white = np.full((20, 20, 28, 3), 255, np.uint8)  # of another height than width
        moved = augmentation.transform(recipe, white, random())
        assert moved.shape == white.shape
        assert (moved[..., :1] == moved).all()
        assert (moved[:, 0, 0, 0] < 255).any()
        gray = augmentation.transform(recipe, white[..., 0], random())
        np.testing.assert_array_equal(gray, moved[..., 0])
