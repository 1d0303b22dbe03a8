"""The page of predictions for pictures, and their table in the terminal."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console

from mnist_tasks.reporting import html
from mnist_tasks.reporting.terminal import predictions
from tests.examples import PARTS
from tests.predicting import predicted
from tests.reporting.pages import Page


def text(*, drawn: bool) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=80)
    console.print(predictions.predicted(predicted.predictor(), predicted.found(), drawn=drawn))
    return stream.getvalue()


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
    shown = text(drawn=True)
    assert max(map(len, shown.splitlines())) <= 80
    assert len([line for line in shown.splitlines() if set("▀▄█") & set(line)]) >= 3 * 10
    assert "9 > 99.9%" in shown
    assert not set("▀▄█") & set(text(drawn=False))
    assert "two.png" not in shown


def test_two_rows_of_pixels_are_a_line_of_blocks() -> None:
    image = np.array([[0, 0, 200, 200], [0, 200, 0, 200], [200, 0, 0, 0]], np.uint8)
    assert predictions.drawing(image).plain == " ▄▀█\n▀   "
    assert predictions.drawing(np.dstack([image] * 3)).plain == " ▄▀█\n▀   "
