"""Training curves over one another: which points, how the lines differ, where the labels are."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks.records import Epoch, Point
from mnist_tasks.reporting import rendering
from mnist_tasks.reporting.figures import chart, run_curves
from tests import examples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mnist_tasks.records import RunRecord

# G. M. Machado et al., "A physiologically-based model for simulation of color vision deficiency"
# (2009), severity 1: what people see who lack one kind of cones, in linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(axis=1)
SERIES = ("accent", "orange", "green", "purple", "ink")  # as in the style sheet


def run(epochs: int, *, validated: bool = True, loss: float = 0.5) -> RunRecord:
    """A run with ten points and results on validation images in each epoch."""
    return replace(
        examples.run(),
        epochs=tuple(
            Epoch(
                epoch=n,
                loss=loss / n,
                accuracy=1 - loss / n,
                seconds=1.0,
                images_per_second=1.0,
                validation_loss=0.4 / n if validated else None,
                validation_accuracy=1 - 0.4 / n if validated else None,
            )
            for n in range(1, epochs + 1)
        ),
        curve=tuple(
            Point(step=step, loss=loss * 2 / step, accuracy=1 - loss / step)
            for step in range(1, 10 * epochs + 1)
        ),
    )


def test_running_means_are_a_line_for_each_epoch() -> None:
    curves = run_curves.of_run(run(2), "A", "default")
    assert [len(part) for part in curves.loss] == [9, 10]  # without the first tenth
    assert curves.loss[0][0] == (0.2, 0.5)
    assert curves.loss[1][-1] == (2.0, 0.05)
    assert curves.accuracy[0][0] == (0.2, 0.75)
    assert curves.validation_accuracy == ((1.0, 0.6), (2.0, 0.8))


def test_a_long_training_has_one_line_of_the_means_of_its_epochs() -> None:
    (loss,) = run_curves.of_run(run(run_curves.MANY_EPOCHS), "A", "default").loss
    assert loss == tuple((float(n), 0.5 / n) for n in range(1, run_curves.MANY_EPOCHS + 1))


def test_the_runs_of_a_setting_have_a_mean() -> None:
    curves = run_curves.mean([run(2, loss=0.2), run(2, loss=0.6)], "1", "default")
    assert curves.loss[0][0] == pytest.approx((0.2, 0.4))
    assert len(curves.loss[1]) == 10


def test_there_is_a_chart_for_what_a_run_has() -> None:
    with_validation = run_curves.of_run(run(2), "A", "default")
    without = run_curves.of_run(run(1, validated=False), "B", "plain")
    titles = [each.title for each in run_curves.charts([with_validation, without])]
    assert titles == [
        "Training loss",
        "Training accuracy",
        "Validation loss",
        "Validation accuracy",
    ]
    assert len(run_curves.charts([without])) == 2
    assert (
        run_curves.charts([run_curves.of_run(replace(run(1), epochs=(), curve=()), "A", "")]) == []
    )
    first, *_, last = run_curves.charts([with_validation, without])
    assert first.description == ("Training loss by epoch: A ends at 0.0500; B ends at 0.1000")
    assert [mark.text for mark in last.marks] == ["A: 60.00%", "A: 80.00%"]
    assert [line.label for line in first.lines] == ["", "A", "B"]


def test_labels_keep_their_distance_and_stay_in_the_chart() -> None:
    """26 runs with the same end, and some that end at the top or at the bottom."""
    ends = [0.1] * 20 + [2.0] * 3 + [0.001] * 3
    curves = [
        run_curves.of_run(
            replace(run(1), curve=(Point(step=1, loss=end, accuracy=0.5),)), letter, ""
        )
        for letter, end in zip(map(chr, range(65, 91)), ends, strict=True)
    ]
    drawn = run_curves.charts(curves)[0]
    heights = sorted(drawn.label_at(line)[1] for line in drawn.lines)
    assert len(heights) == 26
    assert min(b - a for a, b in itertools.pairwise(heights)) >= chart.LINE_HEIGHT
    assert heights[0] > 0
    assert heights[-1] <= drawn.bottom + 4
    assert drawn.label_at(drawn.lines[0])[0] + 12 < drawn.width


def test_a_label_beside_a_line_is_at_its_end_where_there_is_room() -> None:
    drawn = run_curves.charts([run_curves.of_run(run(1), "A", "")])[0]
    (line,) = drawn.lines
    x, y = line.points[-1]
    assert drawn.label_at(line) == (drawn.x_at(x) + 12, drawn.y_at(y) + 4)


def test_no_two_of_25_lines_look_alike_and_the_first_have_dashes_of_their_own() -> None:
    styles = [run_curves.style(place) for place in range(25)]
    assert len(set(styles)) == 25
    dashes = {re.findall(r" d\d", style)[0] for style in styles[:5]}
    assert len(dashes) == 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colors_differ_for_color_blind_people_and_from_the_paper(scheme: str) -> None:
    found = colors(scheme)
    for name, matrix in DEFICIENCIES.items():
        seen = [lab(np.clip(np.array(matrix) @ linear(found[each]), 0, 1)) for each in SERIES]
        distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)]
        assert min(distances) > 25, name  # 2.3 is just noticeable
    paper = luminance(found["paper"])
    for each in SERIES:
        bright, dark = sorted((luminance(found[each]), paper), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 3, each  # WCAG 2.2, 1.4.11


def colors(scheme: str) -> dict[str, str]:
    """Return the colors of the style sheet by name."""
    text = (rendering.TEMPLATES / "style.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{([^}]*)\}", text)[:2]
    found = dict(re.findall(r"--(\w+): (#\w{6})", light))
    return found if scheme == "light" else found | dict(re.findall(r"--(\w+): (#\w{6})", dark))


def linear(color: str) -> NDArray[np.float64]:
    values = np.array([int(color[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(color: str) -> float:
    return float(TO_XYZ[1] @ linear(color))


def lab(color: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a color in CIE L*a*b*, whose distances are those that one sees."""
    ratios = TO_XYZ @ color / WHITE
    x, y, z = np.where(ratios > 0.008856, np.cbrt(ratios), 7.787 * ratios + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
