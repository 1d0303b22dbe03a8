"""Pictures become images like MNIST's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mnist_tasks.predicting.preparation import prepare
from tests.predicting.drawings import (
    BROKEN_FIVE,
    DASH,
    FIVE,
    SEVEN,
    ZERO,
    Digit,
    dots_below_a_line,
    draw,
    lit,
)

rng = np.random.default_rng(3)
ACROSS = np.linspace(0, 1, 160)
LIGHTS = {
    "from one side": 0.5 + 0.6 * ACROSS,
    "from a corner": 0.5 + 0.3 * ACROSS + 0.3 * np.linspace(0, 1, 120)[:, None],
    "vignette": 1.1 - 1.2 * ((ACROSS - 0.5) ** 2 + (np.linspace(0, 1, 120)[:, None] - 0.5) ** 2),
    "sharp shadow": np.where(ACROSS < 0.4, 0.6, 1.0),
    "sharp shadow over the digit": np.where(ACROSS < 0.47, 1.0, 0.6),
}


def differ(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean difference of two images, in gray levels."""
    return float(np.abs(one.astype(float) - other).mean())


def center_of_mass(image: np.ndarray) -> tuple[float, float]:
    places, total = np.arange(28), image.sum(dtype=float)
    return float(image.sum(1) @ places / total), float(image.sum(0) @ places / total)


@pytest.mark.parametrize("digit", [SEVEN, FIVE, ZERO])
def test_a_digit_has_the_size_place_and_brightness_of_mnists(digit: Digit) -> None:
    prepared = prepare(draw(digit))
    assert prepared.digits == 1
    image = prepared.image
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    rows, columns = (np.flatnonzero(image.any(axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    assert image.max() == 255
    assert center_of_mass(image) == pytest.approx((14, 14), abs=0.5)
    assert image[0].sum() == image[-1].sum() == 0


def test_the_aspect_is_kept() -> None:
    rows, columns = (np.ptp(np.flatnonzero(prepare(draw(SEVEN)).image.any(a))) for a in (1, 0))
    assert (columns + 1) / (rows + 1) == pytest.approx(68 / 68 * (36 + 8) / (60 + 8), abs=0.05)


def test_ink_may_be_bright_or_dark() -> None:
    dark = prepare(draw(FIVE)).image
    for ink, paper in ((255, 0), (230, 60), (0, 255), (110, 160)):
        assert differ(prepare(draw(FIVE, ink=ink, paper=paper)).image, dark) < 1


@pytest.mark.parametrize("digit", [FIVE, ZERO])
@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
def test_uneven_light_changes_little(digit: Digit, light: np.ndarray) -> None:
    found = prepare(lit(draw(digit), light))
    assert found.digits == 1
    assert differ(found.image, prepare(draw(digit)).image) < 4


def test_size_and_place_change_little() -> None:
    usual = prepare(draw(FIVE)).image
    small = prepare(draw(FIVE, side=30, pen=4, at=(120, 80))).image
    large = prepare(draw(FIVE, size=(900, 1200), side=600, pen=80, at=(300, 150))).image
    tight = prepare(draw(FIVE, size=(70, 56), at=(-8, 5))).image
    for image in (small, large, tight):
        assert differ(image, usual) < 5


def test_a_tight_crop_whose_ink_touches_the_border_is_read() -> None:
    found = prepare(draw(SEVEN, size=(60, 36), at=(-12, 0)))
    assert found.digits == 1
    assert differ(found.image, prepare(draw(SEVEN)).image) < 25  # half of the pen is cut off


def test_noise_and_jpeg_artifacts_change_little() -> None:
    gray = draw(FIVE).astype(float) + rng.normal(0, 8, (120, 160))
    noisy = np.clip(gray, 0, 255).astype(np.uint8)
    found = prepare(noisy)
    assert found.digits == 1
    assert differ(found.image, prepare(draw(FIVE)).image) < 4


def test_strokes_of_a_thin_pen_are_as_wide_as_thin_ones_of_mnist() -> None:
    # A pen of 1.5 pixels in 200 would be 0.15 pixels wide in the box of 20.
    thin = prepare(draw(SEVEN, size=(300, 300), side=200, pen=1.5, at=(50, 50))).image
    row = thin[14].astype(float) / 255
    assert 1.3 < row.sum() < 2.6
    assert row.max() > 0.6


@pytest.mark.parametrize(
    "blank",
    [
        np.full((1, 1), 255),
        np.full((1, 300), 0),
        np.full((90, 120), 128),
        np.clip(rng.normal(180, 12, (120, 160)), 0, 255),
        200 * LIGHTS["vignette"],
        draw(FIVE, side=4, pen=1),
        draw(FIVE, ink=205),
        draw(FIVE, ink=190) + rng.normal(0, 12, (120, 160)),
    ],
    ids=["1×1", "line", "even", "noise", "vignette", "tiny", "faint", "lost in noise"],
)
def test_a_picture_without_a_digit_is_blank(blank: np.ndarray) -> None:
    found = prepare(blank.astype(np.uint8))
    assert found.digits == 0
    assert not found.image.any()


@pytest.mark.parametrize(
    "gray",
    [
        draw(FIVE, ZERO, size=(120, 220)),
        draw(ZERO, SEVEN, FIVE, size=(120, 280)),
        np.vstack([draw(FIVE), draw(ZERO)]),
    ],
    ids=["two", "three", "one below the other"],
)
def test_several_digits_are_several(gray: np.ndarray) -> None:
    found = prepare(gray)
    assert found.digits >= 2
    assert found.image.any()


def test_what_is_too_wide_for_a_digit_is_several() -> None:
    assert prepare(draw(DASH)).digits == 2


def test_pieces_of_one_digit_are_one() -> None:
    found = prepare(draw(BROKEN_FIVE))
    assert found.digits == 1
    rows = np.flatnonzero(found.image.any(axis=1))
    assert np.ptp(rows) + 1 == 20  # with the piece at the top


def test_a_gap_in_a_stroke_and_a_piece_that_is_further_away_are_of_the_digit() -> None:
    cut = draw(ZERO).copy()
    cut[:, 68:72] = 210
    assert prepare(cut).digits == 1
    bar, body = ((4.0, 0.0), (7.5, 0.0)), ((2.5, 3.2), *FIVE[0][2:])
    found = prepare(draw((bar, body)))
    assert found.digits == 1
    rows = np.flatnonzero(found.image.any(axis=1))
    assert not found.image[rows[0] : rows[-1]].any(axis=1).all()  # the gap below the piece


def test_specks_and_what_lies_at_the_border_are_left_out() -> None:
    usual = prepare(draw(FIVE))
    gray = draw(FIVE).copy()
    for row, column in ((10, 20), (100, 130), (60, 98)):  # the last is near the digit
        gray[row : row + 3, column : column + 3] = 50
    gray[:, 152:] = 60  # the table
    found = prepare(gray)
    assert found.digits == 1
    assert differ(found.image, usual.image) < 3


@pytest.mark.parametrize("sides", ["all", "left"])
def test_a_table_around_the_paper_is_ground(sides: str) -> None:
    gray = draw(FIVE, size=(200, 260), at=(150, 70)).copy()
    if sides == "all":
        gray[:20] = gray[-20:] = gray[:, -20:] = 60
    gray[:, : 20 if sides == "all" else 120] = 60
    found = prepare(gray)
    assert found.digits == 1
    assert differ(found.image, prepare(draw(FIVE)).image) < 2


def test_small_parts_below_a_line_are_read() -> None:
    """The longest part, by which others are near, is not of a digit itself."""
    prepared = prepare(dots_below_a_line())
    assert prepared.digits == 1
    assert prepared.image.max() == 255


def test_an_image_of_mnists_size_stays_much_as_it_is() -> None:
    original = np.asarray(Image.fromarray(draw(FIVE, ink=255, paper=0)[20:110, 28:118]))
    small = np.asarray(Image.fromarray(original).resize((28, 28), Image.Resampling.BOX))
    assert differ(prepare(small).image, prepare(original).image) < 12
