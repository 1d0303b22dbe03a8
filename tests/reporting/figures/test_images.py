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
    assert kind == [8, 0, 0, 0, 0]
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * (width + 1)
    return [list(rows[y * (width + 1) + 1 : (y + 1) * (width + 1)]) for y in range(height)]


def test_a_digit_is_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    assert read(images.digit(image)) == image.tolist()


def test_zero_weights_are_gray() -> None:
    assert read(images.weights([[-2.0, 0.0, 2.0], [1.0, -1.0, 99.0]], 2.0)) == [
        [0, 128, 255],
        [191, 64, 255],
    ]
