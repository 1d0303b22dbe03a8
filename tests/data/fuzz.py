"""Fuzz the reading of data files: containers of all kinds, one in another, damaged at any level.

Containers may be unpacked or refused with `InputRefusedError`; whatever else happens is a bug. So
is a candidate that is larger than it may be.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from mnist_tasks.data import arrays, containers, datasets, idx, picture_folder
from mnist_tasks.data.datasets import Dataset
from mnist_tasks.errors import InputRefusedError
from tests import fuzz, generated
from tests.data import archives

COMPRESSIONS: tuple[Callable[[bytes], bytes], ...] = (
    partial(gzip.compress, mtime=0),
    partial(lzma.compress, preset=0),
    bz2.compress,
)
ARCHIVES: Mapping[str, Callable[[Mapping[str, bytes]], bytes]] = {
    "pax": partial(archives.tar, form=tarfile.PAX_FORMAT),
    "gnu": partial(archives.tar, form=tarfile.GNU_FORMAT),
    "stored": partial(archives.zipped, method=zipfile.ZIP_STORED),
    "deflated": partial(archives.zipped, method=zipfile.ZIP_DEFLATED),
    "lzma": partial(archives.zipped, method=zipfile.ZIP_LZMA),
    "ar": archives.ar,
}


@dataclass(frozen=True)
class Samples:
    """A data set of a few images, so that a try takes milliseconds, and its files by their format.

    Each format maps the names of its files to their contents.
    """

    dataset: Dataset
    formats: Mapping[str, Mapping[str, bytes]]


def samples(folder: Path) -> Samples:
    """Write a small data set to a folder, and return its files in all formats."""
    dataset = replace(generated.write(folder, train=6, test=3), npm=None)
    files: dict[str, bytes] = {}
    npy: dict[str, bytes] = {}
    rows: dict[str, bytes] = {}
    for split in (dataset.train, dataset.test):
        contents = [(folder / file.name).read_bytes() for file in split]
        files |= {file.name: data for file, data in zip(split, contents, strict=True)}
        images, labels = (
            np.frombuffer(data[len(file.header) :], np.uint8).reshape(file.shape)
            for file, data in zip(split, contents, strict=True)
        )
        for file, array in zip(split, (images, labels), strict=True):
            np.save(buffer := io.BytesIO(), array)
            npy[f"{file.array}.npy"] = buffer.getvalue()
        table = np.column_stack([labels, images.reshape(len(labels), -1)]).tolist()
        lines = ["label" + ",pixel" * 784, *(",".join(map(str, row)) for row in table)]
        rows[f"{split[0].name}.csv"] = "\n".join(lines).encode()
    return Samples(dataset, {"idx": files, "npy": npy, "csv": rows})


def container(source: random.Random, formats: Mapping[str, Mapping[str, bytes]]) -> bytes:
    """Return files in archives in archives, which may be damaged at every level."""

    def maybe(change: Callable[[bytes], bytes], chance: float, content: bytes) -> bytes:
        return change(content) if source.random() < chance else content

    ruin = partial(damage, source)
    files = dict(formats[source.choice(sorted(formats))])
    level, depth = 0, source.choice((0, 1, 1, 1, 2, 2, 3))
    while level < depth:
        hurt = source.choice(sorted(files))
        files[hurt] = maybe(ruin, 0.4, files[hurt])
        compress = source.choice((*COMPRESSIONS, bytes, bytes))
        pack = ARCHIVES[source.choice(sorted(ARCHIVES))]
        # A name may be there twice, or far too long.
        prefix = source.choice(("", "a/" * 150, "../" * 3))
        files = {f"{prefix}{name}": compress(content) for name, content in files.items()}
        files = {"data.tar": maybe(source.choice(COMPRESSIONS), 0.4, pack(files))}
        level += 1
    return maybe(ruin, 0.6, files[source.choice(sorted(files))])


def damage(source: random.Random, content: bytes) -> bytes:
    """Return the content with some places damaged."""
    data = bytearray(content)
    for _ in range(source.choice((1, 1, 2, 5, 20))):
        place = source.randrange(len(data)) if source.random() < 0.5 else source.randrange(600)
        place = min(place, len(data) - 1)
        size = source.choice((1, 1, 2, 4, 100))
        match source.randrange(4):
            case 0:
                data[place : place + size] = source.randbytes(size)
            case 1:
                data[place : place + size] = source.choice((b"\0", b"\xff", b"(", b"9")) * size
            case 2:
                del data[place : place + size]
            case _:
                data[place:place] = data[place : place + size]
        data = data or bytearray(1)
    return bytes(data)


def unpack(content: bytes, dataset: Dataset, folder: Path) -> str:
    """Unpack a container in a folder, and return what came of it."""
    path = folder / "container"
    path.write_bytes(content)
    staging = folder / "staging"
    staging.mkdir(exist_ok=True)
    try:
        found = list(containers.unpack(path, dataset.files, staging, origin="it"))
    except InputRefusedError as error:
        return "refused" if _is_plain(error) else "UNPRINTABLE"
    if any(candidate.stat().st_size > file.bytes + 1 for file, candidate in found):
        return "TOO LARGE"
    return "candidates" if found else "nothing"


def read_own(source: random.Random, all_formats: Mapping[str, bytes], folder: Path) -> str:
    """Read a damaged file of a project's own data set."""
    name = source.choice(sorted(all_formats))
    path = folder / "0" / f"0.{name}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(damage(source, all_formats[name]))
    try:
        match name:
            case "npz":
                arrays.read_npz(path, ("x_train", "y_train"))
            case "png":
                picture_folder.read(folder, ["0"], most=10)
            case _:
                idx.read(path)
    except InputRefusedError as error:
        return f"{name} refused" if _is_plain(error) else "UNPRINTABLE"
    else:
        return f"{name} read"
    finally:
        path.unlink()


def own_files(formats: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    """Return a file of each format that a project's own data set may have."""
    image = formats["idx"]["train-images-idx3-ubyte"]
    png = io.BytesIO()
    Image.fromarray(np.frombuffer(image[16 : 16 + 784], np.uint8).reshape(28, 28)).save(png, "png")
    return {
        "npz": archives.zipped(formats["npy"]),
        "idx": image,
        "gz": gzip.compress(image),
        "png": png.getvalue(),
    }


def _is_plain(error: InputRefusedError) -> bool:
    return error.found.replace("\n", "").isprintable()


def run(seconds: float, first: int) -> Counter[str]:
    """Try inputs for some seconds, from the seed `first` on."""
    before = datasets.default()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = samples(folder / "data")
        own = own_files(made.formats)
        pictures = folder / "pictures"
        pictures.mkdir()

        def outcome(source: random.Random) -> str:
            if source.random() < 0.2:
                return read_own(source, own, pictures)
            return unpack(container(source, made.formats), made.dataset, folder)

        generated.register(made.dataset)
        try:
            return fuzz.repeat(outcome, seconds, first)
        finally:
            generated.register(before)
