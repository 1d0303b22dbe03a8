"""The page of predictions for pictures, and their table in the terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from mnist_tasks.predicting.predictor import PredictedPicture
from mnist_tasks.reporting import html
from mnist_tasks.reporting.terminal import predictions
from tests.examples import PARTS
from tests.predicting import predicted
from tests.reporting.pages import Page


def text(found: list[PredictedPicture], *, width: int | None = 80) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width or 80)
    console.print(predictions.predicted(predicted.predictor(), found, width=width))
    return stream.getvalue()


def blocks(shown: str) -> list[str]:
    """Return the lines of a drawing, without what is beside it."""
    lines = ("".join(each if each in "▀▄█" else " " for each in line) for line in shown.split("\n"))
    return [line.strip() for line in lines if line.strip()]


def test_the_page_has_each_picture_what_the_model_saw_and_its_class() -> None:
    page = Page(html.predictions(predicted.predictor(), predicted.found()))
    assert not page.all("script")
    assert not [each for each in page.all("img") if not str(each["src"]).startswith("data:")]
    shown = " ".join(page.texts["predictions"].split())
    assert "9 > 99.9%" in shown
    assert "9 51.0%" in shown
    assert "then 0, 49.0%" in shown
    assert "several digits" in page.texts["problems"]
    assert "torn <b>.png" in page.texts["problems"]


def test_a_page_without_errors_has_no_section_for_them() -> None:
    for shown, absent in (([0, 1, 2], "problems"), ([3, 4, 5], "predictions")):
        found = predicted.found()
        page = Page(html.predictions(predicted.predictor(), [found[each] for each in shown]))
        assert absent not in page.texts
        assert [each for each in page.all("a") if each["href"] == f"#{absent}"] == []


def test_class_names_stand_on_the_page() -> None:
    shown = Page(html.predictions(predicted.predictor(PARTS), predicted.found(PARTS)))
    assert PARTS.classes[-1] in shown.texts["predictions"]
    assert f"then {PARTS.classes[0]}" in shown.texts["predictions"]


def test_the_terminal_draws_what_the_model_saw() -> None:
    shown = text(predicted.found())
    assert max(map(len, shown.splitlines())) <= 80
    assert len([line for line in shown.splitlines() if set("▀▄█") & set(line)]) >= 3 * 10
    assert "9, > 99.9%" in shown
    assert not set("▀▄█") & set(text(predicted.found(), width=None))
    assert "two.png" not in shown


def test_a_long_name_is_folded_and_the_drawing_is_not() -> None:
    found = predicted.found()[:1]
    long = [replace(found[0], path=Path("photos/of last summer/IMG_20260512_103344.jpg"))]
    assert blocks(text(long, width=60)) == blocks(text(found))
    assert max(map(len, text(long, width=60).splitlines())) <= 60


def test_a_wide_image_is_drawn_smaller() -> None:
    wide = np.zeros((60, 64), np.uint8)
    wide[20:40, 8:56] = 255
    lines = predictions.drawing(wide, 40).plain.split("\n")
    assert len(lines) == 15
    assert {len(line) for line in lines} == {32}
    assert [line.strip() for line in lines if line.strip()] == ["█" * 24] * 5
    assert predictions.drawing(wide, 1).plain == " "


def test_two_rows_of_pixels_are_a_line_of_blocks() -> None:
    image = np.array([[0, 0, 200, 200], [0, 200, 0, 200], [200, 0, 0, 0]], np.uint8)
    assert predictions.drawing(image, 80).plain == " ▄▀█\n▀   "
    assert predictions.drawing(np.dstack([image] * 3), 80).plain == " ▄▀█\n▀   "
