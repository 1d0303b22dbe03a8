"""Predictions for pictures, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.predicting import pictures
from mnist_tasks.predicting.filters import resize
from mnist_tasks.predicting.predictor import PredictedPicture, Predictor
from mnist_tasks.reporting import formatting
from mnist_tasks.reporting.terminal import tables

#: By whether the upper and the lower pixel are bright. The ink has the color of the text.
BLOCKS = " ▄▀█"
BRIGHT = 96  # of 255
SAW = "what the model saw"


def predicted(
    predictor: Predictor, found: Sequence[PredictedPicture], *, width: int | None
) -> RenderableType:
    """Show the prediction for each picture that has one.

    Parameters
    ----------
    width
        Columns of the terminal, of which half are for what the model saw; ``None`` draws nothing.
    """
    columns = ["picture", *([SAW] if width else []), "predicted", "runner-up"]
    rows: list[list[str | Text]] = []
    for each in found:
        if shown := each.prediction:
            saw = [drawing(shown.image, width // 2)] if width else []
            first = _class(shown.predicted, shown.probability, "bold")
            second = _class(shown.runner_up, shown.runner_up_probability, "")
            rows.append([pictures.name(each.path), *saw, first, second])
    title = f"Predictions of {predictor.model}"
    made = tables.table(columns, rows, title=title)
    if width:
        made.columns[columns.index(SAW)].no_wrap = True  # long names are folded, and no drawing
    return made


def _class(name: str, probability: float, style: str) -> Text:
    shown = Text(printable(name), style)
    return shown.append(f", {formatting.probability(probability)}", "not bold")


def drawing(image: NDArray[np.uint8], most: int) -> Text:
    """Return an image, (h, w) or (h, w, 3) uint8, as block characters: two rows in each line.

    If it is wider than `most` columns, it is drawn at half its size, a third, and so on.
    """
    gray = (image if image.ndim == 2 else image.mean(axis=-1)).astype(np.float64)
    height, width = gray.shape
    part = -(-width // max(1, most))
    gray = resize(gray, -(-height // part), -(-width // part))
    bright = gray >= BRIGHT
    if len(bright) % 2:
        bright = np.vstack([bright, np.zeros(bright.shape[1:], bool)])
    pairs = 2 * bright[::2].astype(int) + bright[1::2]
    return Text("\n".join("".join(BLOCKS[each] for each in row) for row in pairs), no_wrap=True)
