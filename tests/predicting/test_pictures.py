"""Pictures are read as they are to be looked at, and hostile ones are refused."""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.predicting import pictures
from tests.predicting.drawings import FIVE, draw

DRAWN = draw(FIVE)


def encoded(picture: Any, kind: str = "PNG", **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def gray(content: bytes) -> np.ndarray:
    return pictures.gray(pictures.decode(content, "picture")).astype(int)


def refusal(content: bytes) -> InputRefusedError:
    with pytest.raises(InputRefusedError) as caught:
        pictures.decode(content, "photo.png")
    assert caught.value.subject == "photo.png"
    assert caught.value.reason == "picture-unreadable"
    return caught.value


def of(mode: str) -> Any:
    return Image.fromarray(DRAWN).convert(mode)


def sixteen_bits() -> Any:
    return Image.fromarray(DRAWN.astype(np.uint16) * 257)


@pytest.mark.parametrize(
    "content",
    [
        encoded(of("L")),
        encoded(of("RGB"), "BMP"),
        encoded(of("L"), "GIF"),
        encoded(of("P")),
        encoded(of("LA")),
        encoded(of("RGBA")),
        encoded(sixteen_bits()),
        encoded(of("RGB"), "WEBP", lossless=True),
        encoded(of("RGB"), "JPEG", quality=98, subsampling=0),
        encoded(of("CMYK"), "JPEG", quality=98, subsampling=0),
    ],
    ids=["gray", "bmp", "gif", "palette", "alpha", "rgba", "16 bit", "webp", "jpeg", "cmyk"],
)
def test_every_kind_of_picture_has_the_same_pixels(content: bytes) -> None:
    np.testing.assert_allclose(gray(content), DRAWN, atol=12)
    assert np.abs(gray(content) - DRAWN).mean() < 1


@pytest.mark.parametrize("factor", [1, 257], ids=["8 bit", "16 bit"])
def test_a_pillow_image_of_whole_numbers_has_8_or_16_bits(factor: int) -> None:
    picture = Image.fromarray(DRAWN.astype(np.int32) * factor)
    assert picture.mode == "I"
    np.testing.assert_array_equal(pictures.gray(pictures.of_image(picture, "picture")), DRAWN)


def test_orientation_is_that_of_the_exif_data() -> None:
    turned = {1: DRAWN, 3: DRAWN[::-1, ::-1], 6: np.rot90(DRAWN), 8: np.rot90(DRAWN, -1)}
    for orientation, stored in turned.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        for kind in ("PNG", "WEBP"):
            options = {"lossless": True} if kind == "WEBP" else {}
            content = encoded(Image.fromarray(stored.copy()), kind, exif=exif, **options)
            np.testing.assert_array_equal(gray(content), DRAWN)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_odd_exif_data_is_no_damage(kind: str) -> None:
    # Two entries of an image file directory: an orientation of 6, and a width that is text.
    orientation = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    odd = struct.pack("<HHI4s", 0x0100, 2, 4, b"abc")
    start = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2)
    stored = Image.fromarray(np.rot90(DRAWN).copy())
    found = gray(encoded(stored, kind, exif=start + orientation + odd + bytes(4)))
    assert np.abs(found - DRAWN).mean() < 1
    assert gray(encoded(stored, kind, exif=b"Exif\0\0no image file")).shape == (160, 120)


@pytest.mark.parametrize("ink", [(255, 255, 255), (0, 0, 0), (20, 30, 160)])
def test_ink_on_a_transparent_ground_is_seen(ink: tuple[int, int, int]) -> None:
    pixels = np.zeros((*DRAWN.shape, 4), np.uint8)
    pixels[..., :3] = ink
    pixels[..., 3] = (210 - DRAWN.astype(int)) * 255 // 170
    found = gray(encoded(Image.fromarray(pixels)))
    assert np.abs(found[31, 70] - found[0, 0]) > 150


def test_transparent_ground_is_black_or_white_by_the_median_of_the_ink() -> None:
    """As in the demo page: here, the mean is dark."""
    pixels = np.zeros((9, 9, 4), np.uint8)
    pixels[0, :5] = 128, 128, 128, 255
    pixels[0, 5:] = 0, 0, 0, 255
    assert gray(encoded(Image.fromarray(pixels)))[8, 8] == 0


def test_transparent_corners_of_a_screenshot_get_the_color_of_the_paper() -> None:
    pixels = np.dstack([DRAWN] * 3 + [np.full_like(DRAWN, 255)])
    pixels[:20, :20] = 0
    np.testing.assert_array_equal(gray(encoded(Image.fromarray(pixels))), DRAWN)
    assert (gray(encoded(Image.new("RGBA", (9, 9)))) == 255).all()


def test_of_an_animated_picture_the_first_frame_is_read() -> None:
    frames = [Image.fromarray(DRAWN), Image.new("L", (160, 120), 0)]
    for kind in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if kind == "WEBP" else {}
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert np.abs(gray(content) - DRAWN).max() <= 1


def test_a_large_picture_becomes_smaller() -> None:
    large = Image.fromarray(DRAWN).resize((3200, 2400))
    for kind, limit in (("PNG", 2048), ("JPEG", 2048)):
        found = gray(encoded(large, kind))
        assert 1000 < found.shape[1] <= limit
        assert found.shape[1] / found.shape[0] == pytest.approx(4 / 3, abs=0.01)


def test_a_single_pixel_is_a_picture() -> None:
    assert pictures.decode(encoded(Image.new("L", (1, 1), 9)), "x").tolist() == [[[9, 9, 9]]]


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that says to be this large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(100_000), 9)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "found"), [((20_000, 20_000), "400,000,000 pixels"), ((9_000, 9_000), "9,000×9,000")]
)
def test_a_picture_of_too_many_pixels_is_not_decoded(size: tuple[int, int], found: str) -> None:
    error = refusal(bomb(*size))
    assert found in error.found
    assert "64 million pixels" in str(error.expected)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_truncated_picture_is_damaged(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (80, 80), np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    assert "damaged" in refusal(content[: len(content) * 2 // 3]).found


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "no data"),
        (b"hello", "no picture"),
        (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
        (encoded(of("L"), "TIFF"), "TIFF"),
        (b"%PDF-1.7", "PDF"),
        (b'<svg xmlns="">', "SVG"),
        (encoded(of("L"), "PPM"), "another format"),
    ],
)
def test_what_is_no_picture_is_named(content: bytes, found: str) -> None:
    assert found in refusal(content).found


def test_the_content_decides_and_not_the_extension(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(of("RGB"), "JPEG"))
    assert pictures.read(path).shape == (120, 160, 3)


def test_what_is_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputRefusedError) as caught:
        pictures.read(tmp_path / "none.png")
    assert caught.value.reason == "file-missing"
    monkeypatch.setattr(pictures, "LARGEST_FILE", 10)
    (tmp_path / "large.png").write_bytes(bytes(11))
    for path, found in ((tmp_path, "a folder"), (tmp_path / "large.png", "11 bytes")):
        with pytest.raises(InputRefusedError) as caught:
            pictures.read(path)
        assert caught.value.found == found
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(11))))
    with pytest.raises(InputRefusedError, match="more than 10 bytes"):
        pictures.read(Path("-"))
    # As after a shell's `0>/dev/null`.
    with os.fdopen(os.open(os.devnull, os.O_WRONLY)) as unreadable:
        monkeypatch.setattr(sys, "stdin", unreadable)
        with pytest.raises(InputRefusedError, match="standard input: "):
            pictures.read(Path("-"))


def test_a_pillow_image_without_pixels_or_of_a_damaged_file_is_refused() -> None:
    torn = Image.open(io.BytesIO(encoded(Image.fromarray(DRAWN))[:200]))
    for image, found in ((Image.new("L", (0, 5)), "no pixels"), (torn, "a damaged picture")):
        with pytest.raises(InputRefusedError, match=found):
            pictures.of_image(image, "picture")
