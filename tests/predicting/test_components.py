"""Connected parts of a mask, against a plain flood fill."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_tasks.predicting import components


def flood(mask: np.ndarray) -> list[set[tuple[int, int]]]:
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    found = []
    while left:
        part, todo = set(), [min(left)]
        while todo:
            pixel = todo.pop()
            if pixel in left:
                left.remove(pixel)
                part.add(pixel)
                y, x = pixel
                todo += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        found.append(part)
    return found


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.7])
def test_parts_are_those_of_a_flood_fill(share: float) -> None:
    for seed in range(20):
        mask = np.random.default_rng(seed).uniform(size=(17, 23)) < share
        found = components.find(mask)
        expected = flood(mask)
        assert [min(each) for each in expected] == [each.runs[0][:2] for each in found]
        for part, pixels in zip(found, expected, strict=True):
            assert {(y, x) for y, start, end in part.runs for x in range(start, end)} == pixels
            ys, xs = zip(*pixels, strict=True)
            assert part.box == (min(ys), min(xs), max(ys) + 1, max(xs) + 1)
            assert part.area == len(pixels)
        np.testing.assert_array_equal(components.mask_of(found, mask.shape), mask)


def test_an_empty_mask_has_no_parts() -> None:
    assert components.find(np.zeros((3, 4), bool)) == []


def test_parts_that_are_close_are_a_group() -> None:
    mask = np.zeros((10, 30), bool)
    mask[2:5, 3:6] = mask[2:8, 9:10] = mask[0, 20] = True
    parts = components.find(mask)
    assert sorted(components.groups(parts, 2)) == [(0, 20, 1, 21), (2, 3, 8, 10)]
    assert len(components.groups(parts, 1)) == 3


def test_the_gap_between_boxes() -> None:
    assert components.gap((0, 0, 5, 5), (2, 8, 9, 9)) == 3
    assert components.gap((0, 0, 5, 5), (9, 7, 10, 9)) == 4
    assert components.gap((0, 0, 5, 5), (1, 1, 2, 2)) == 0
