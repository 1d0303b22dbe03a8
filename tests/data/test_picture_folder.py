"""Folders of pictures: one subfolder for each class, all of the same size and kind."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from mnist_tasks.data import picture_folder
from mnist_tasks.errors import InputRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLASSES = ("b", "a")


def picture(mode: str = "L", size: tuple[int, int] = (3, 2), color: int = 7) -> Any:
    return Image.new("L", size, color).convert(mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index, name in enumerate(("a", "b", "b")):
        (tmp_path / name).mkdir(exist_ok=True)
        picture(color=index).save(tmp_path / name / f"{9 - index}.png")
    return tmp_path


def test_pictures_are_in_the_order_of_the_classes_and_of_their_names(folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"")
    (folder / "a" / ".hidden").write_bytes(b"")
    images, labels = picture_folder.read(folder, CLASSES, most=3)
    assert images.shape == (3, 2, 3)
    assert images[:, 0, 0].tolist() == [2, 1, 0]
    assert labels.tolist() == [0, 0, 1]
    assert picture_folder.class_names(folder) == ("a", "b")


@pytest.mark.parametrize(("mode", "shape"), [("L", (3, 2, 3)), ("RGB", (3, 2, 3, 3))])
def test_gray_and_color_pictures_are_read_as_they_are(
    folder: Path, mode: str, shape: tuple[int, ...]
) -> None:
    for path in folder.glob("*/*.png"):
        picture(mode).save(path)
    picture(mode).save(folder / "a" / "jpeg.PNG", format="JPEG", quality=100)
    images, _ = picture_folder.read(folder, CLASSES, most=4)
    assert images.shape == (4, *shape[1:])
    assert np.abs(images.astype(int) - 7).max() <= 1
    assert images.dtype == np.uint8


def test_a_palette_is_applied(folder: Path) -> None:
    for path in folder.glob("*/*.png"):
        picture("RGB").quantize(4).save(path)
    images, _ = picture_folder.read(folder, CLASSES, most=3)
    assert images.shape == (3, 2, 3, 3)
    assert (images == 7).all()


@pytest.mark.parametrize("name", ["9.png", "9.jpg"])
def test_a_picture_is_turned_as_its_exif_data_says(folder: Path, name: str) -> None:
    sideways = Image.new("L", (2, 3))
    sideways.paste(200, (0, 0, 2, 2))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    (folder / "a" / "9.png").unlink()
    sideways.save(folder / "a" / name, exif=exif, quality=100, subsampling=0)
    images, _ = picture_folder.read(folder, CLASSES, most=3)
    assert (images[2] > 100).tolist() == [[False, True, True]] * 2


@pytest.mark.parametrize(
    ("change", "subject", "expected", "found"),
    [
        (lambda a: picture(size=(3, 3)).save(a / "x.png"), "a/x.png", "3×2", "3×3 pixels"),
        (lambda a: picture("RGB").save(a / "x.png"), "a/x.png", "a gray picture", "a color pict"),
        (lambda a: picture("RGBA").save(a / "x.png"), "a/x.png", "PNG or JPEG", "mode RGBA"),
        (lambda a: picture("I;16").save(a / "x.png"), "a/x.png", "PNG or JPEG", "mode I;16"),
        (lambda a: picture().save(a / "x.png", transparency=0), "a/x.png", "PNG", "transparency"),
        (lambda a: picture(size=(65, 1)).save(a / "x.png"), "a/x.png", "64×64", "65×1 pixels"),
        (lambda a: picture().save(a / "x.gif"), "a/x.gif", "PNG or JPEG", "another format"),
        (lambda a: (a / "x.png").write_bytes(b"x"), "a/x.png", "PNG or JPEG", "another format"),
        (lambda a: (a / "x.png").write_bytes(bytes(2**20 + 1)), "a/x.png", "PNG", "1,048,577"),
        (lambda a: (a / "x.png").mkdir(), "a/x.png", "PNG or JPEG", "a folder"),
        pytest.param(
            lambda a: os.mkfifo(a / "x.png"),
            "a/x.png",
            "PNG or JPEG",
            "a pipe",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="has no such pipes"),
        ),
        (lambda a: (a.parent / "c").mkdir(), "c", "each class: b, a", "another name"),
        (lambda a: (a.parent / "c.png").touch(), "c.png", "a subfolder for each class", "a file"),
        (lambda a: (a / "9.png").unlink(), "a", "pictures", "an empty folder"),
        (lambda a: (a / "9.png").rename(a.parent / "b" / "x") and a.rmdir(), "a", "class a", "no"),
        (lambda a: picture().save(a / "x.png"), ".", "at most 3 pictures", "4 files"),
    ],
)
def test_what_is_wrong_is_named(
    folder: Path, change: Callable[[Path], object], subject: str, expected: str, found: str
) -> None:
    change(folder / "a")
    most = 3 if "4 files" in found else 10
    with pytest.raises(InputRefusedError) as caught:
        picture_folder.read(folder, CLASSES, most=most)
    assert caught.value.subject == str(folder / subject)
    assert expected in str(caught.value.expected)
    assert found in caught.value.found


def test_a_truncated_picture_is_refused(folder: Path) -> None:
    path = folder / "a" / "9.png"
    Image.effect_noise((60, 60), 90).save(path)
    path.write_bytes(path.read_bytes()[:-900])
    for other in folder.glob("b/*.png"):
        other.unlink()
    Image.effect_noise((60, 60), 90).save(folder / "b" / "1.png")
    with pytest.raises(InputRefusedError, match="a damaged picture"):
        picture_folder.read(folder, CLASSES, most=3)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError, match="no such folder"):
        picture_folder.read(tmp_path / "none", CLASSES, most=3)
