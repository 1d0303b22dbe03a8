"""The images are valid PNG files."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from mnist_tasks.reporting.figures import images


def read(address: str) -> list[list[int]]:
    """Read a grayscale PNG as specified, with its checksums."""
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"), validate=True)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, place + 8 + length)
        assert checksum == zlib.crc32(name + body)
        chunks[name] = body
        place += 12 + length
    width, height, *kind = struct.unpack(">2I5B", chunks[b"IHDR"])
    assert kind in ([8, 0, 0, 0, 0], [8, 2, 0, 0, 0])
    length = 1 + width * (3 if kind[1] else 1)
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * length
    return [list(rows[y * length + 1 : (y + 1) * length]) for y in range(height)]


def test_an_image_is_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 24), dtype=np.uint8)
    assert read(images.photo(image)) == image.tolist()


def test_a_color_image_is_red_green_and_blue() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    assert read(images.photo(image)) == image.reshape(20, 72).tolist()


def test_zero_weights_are_gray() -> None:
    assert read(images.weights([[-2.0, 0.0, 2.0], [1.0, -1.0, 99.0]], 2.0)) == [
        [0, 128, 255],
        [191, 64, 255],
    ]
