"""``predict`` in real processes: pictures in, predictions and a page out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Run
from tests.json_output import result_of
from tests.predicting import template_model
from tests.predicting.drawings import FIVE, SEVEN, ZERO, draw
from tests.reporting.pages import Page

Cli = Callable[..., Run]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model, and one of pictures: two to predict, and three to refuse."""
    (tmp_path / "model_latest.h5").write_bytes(template_model.content())
    pictures = tmp_path / "photos <b>"
    pictures.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(draw(SEVEN)).copy()).save(pictures / "a.jpg", exif=exif)
    Image.fromarray(draw(FIVE)).save(pictures / "b.png")
    Image.new("L", (80, 60), 200).save(pictures / "blank.png")
    Image.fromarray(draw(FIVE, ZERO, size=(120, 220))).save(pictures / "two.png")
    (pictures / "torn.png").write_bytes((pictures / "two.png").read_bytes()[:200])
    return tmp_path


def test_each_picture_is_predicted_or_has_its_error(cli: Cli, folder: Path) -> None:
    done = cli("predict", "photos <b>", "--json", "--html", "page.html")
    assert done.returncode == 3, done.stderr
    found = result_of(done)
    assert found["model"] == "model_latest.h5"
    assert found["dataset"] == "mnist"
    pictures = {Path(each["path"]).name: each for each in found["pictures"]}
    assert {name: each["predicted"] for name, each in pictures.items()} == {
        "a.jpg": "7",
        "b.png": "5",
        "blank.png": None,
        "torn.png": None,
        "two.png": None,
    }
    assert pictures["b.png"]["probability"] == max(pictures["b.png"]["probabilities"])
    reasons = {name: each["error"]["reason"] for name, each in pictures.items() if each["error"]}
    assert reasons == {
        "blank.png": "picture-blank",
        "torn.png": "picture-unreadable",
        "two.png": "several-digits",
    }
    assert [each["exit_code"] for each in pictures.values()] == [0, 0, 3, 3, 3]

    text = (folder / "page.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.all("script")
    assert not page.all("b") or "<b>/" not in text
    assert "5" in page.texts["predictions"]
    assert "photos <b>/b.png" in page.texts["predictions"]
    assert "several digits" in page.texts["problems"]
    sources = [str(each["src"]) for each in page.all("img")]
    assert [each.split(";")[0] for each in sources] == [
        *["data:image/jpeg", "data:image/png"] * 2,
        *["data:image/jpeg"] * 2,  # but none of the torn one
    ]


def test_a_pipe_gets_the_names_of_classes_and_no_drawing(cli: Cli, folder: Path) -> None:
    done = cli("predict", folder / "photos <b>" / "b.png", "--dataset", "fashion-mnist")
    assert done.returncode == 0, done.stderr
    assert "b.png" in done.stdout
    assert any(name in done.stdout for name in ("Sandal", "Sneaker", "T-shirt/top"))
    assert not set("▀▄█") & set(done.stdout)
    assert done.stderr == ""


ON_A_TERMINAL = """
import os, pty, sys

ours, theirs = pty.openpty()
os.dup2(theirs, 1)
os.dup2(os.open("photos <b>/b.png", os.O_RDONLY), 0)
sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w", encoding="utf-8")
from mnist_tasks.cli.start import main

try:
    main(["predict", "-"])
finally:
    os.write(2, os.read(ours, 1 << 16))
"""


def test_a_terminal_shows_what_the_model_saw_of_standard_input(python: Cli, folder: Path) -> None:
    assert folder.is_dir()
    done = python("-c", ON_A_TERMINAL, env={"TERM": "xterm", "COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    drawn = [line for line in lines if set("▀▄█") & set(line)]
    assert 9 <= len(drawn) <= 12  # 20 rows of ink, two in a line
    assert max(map(len, drawn)) <= 100  # with its styles
    assert any("standard input" in line and "5" in line for line in lines)


def test_a_bad_model_is_the_error_of_the_command(cli: Cli, folder: Path) -> None:
    (folder / "model_latest.h5").write_bytes(b"GIF89a")
    done = cli("predict", "photos <b>/b.png")
    assert done.returncode == 3
    assert "model_latest.h5" in done.stderr
    assert done.stdout == ""


def test_a_page_does_not_replace_a_picture(cli: Cli, folder: Path) -> None:
    before = (folder / "photos <b>" / "b.png").read_bytes()
    done = cli("predict", "photos <b>/b.png", "--html", "photos <b>/b.png")
    assert done.returncode == 2
    assert (folder / "photos <b>" / "b.png").read_bytes() == before


def test_a_page_that_cannot_be_written_is_refused_before_the_predictions(
    cli: Cli, folder: Path
) -> None:
    done = cli("predict", "photos <b>/b.png", "--html", "photos <b>/b.png/x.html")
    assert done.returncode == 4
    assert "--html" in done.stderr
    assert done.stdout == ""
