"""Damaged containers, for a test and for longer runs: ``python -m tests.data.damaged SECONDS``.

Each is a good container of one kind with some bytes replaced, removed or repeated.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import sys
import tarfile
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from mnist_tasks.data import containers, datasets
from mnist_tasks.data.datasets import Dataset
from mnist_tasks.errors import InputRefusedError
from tests import generated
from tests.data.test_packages import deb

Kinds = dict[str, bytes]
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
}


def small_dataset(folder: Path) -> Dataset:
    """Return a data set of a few images, so that a try takes milliseconds."""
    return replace(generated.write(folder, train=6, test=3), npm=None)


def kinds(dataset: Dataset, folder: Path) -> Kinds:
    """Return good containers of all kinds."""
    files = {file.name: (folder / file.name).read_bytes() for file in dataset.files}
    arrays = {
        file.array: np.frombuffer(files[file.name][len(file.header) :], np.uint8).reshape(
            file.shape
        )
        for file in dataset.files
    }
    rows = np.column_stack([arrays["y_train"], arrays["x_train"].reshape(6, -1)]).tolist()
    text = "\n".join(",".join(map(str, row)) for row in rows).encode()
    npy = io.BytesIO()
    np.save(npy, arrays["x_train"])
    made = {
        "idx": files["train-images-idx3-ubyte"],
        "idx.gz": gzip.compress(files["train-images-idx3-ubyte"]),
        "npy": npy.getvalue(),
        "csv": b"label" + b",pixel" * 784 + b"\n" + text,
        "deb": deb(folder),
    }
    npz = io.BytesIO()
    np.savez_compressed(npz, **arrays)  # type: ignore[arg-type]
    made["npz"] = npz.getvalue()
    for name, method in (("stored", zipfile.ZIP_STORED), ("lzma", zipfile.ZIP_LZMA)):
        with zipfile.ZipFile(buffer := io.BytesIO(), "w", method) as archive:
            for each, content in files.items():
                archive.writestr(each, content)
                archive.writestr(f"{each}.gz", gzip.compress(content))
        made[f"zip {name}"] = buffer.getvalue()
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        with tarfile.open(fileobj=(buffer := io.BytesIO()), mode="w", format=form) as tarball:
            for path in sorted(folder.iterdir()):
                tarball.add(path, f"package/{'long' * 40}/{path.name}", recursive=False)
        for suffix, compress in COMPRESSIONS.items():
            made[f"tar {form} {suffix}"] = compress(buffer.getvalue())
    return made


def damage(content: bytes, source: random.Random) -> bytes:
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


def outcome(content: bytes, dataset: Dataset, folder: Path) -> str:
    """Unpack a container; only `InputRefusedError` may come out of it."""
    path = folder / "container"
    path.write_bytes(content)
    try:
        found = [*containers.unpack(path, dataset.files, folder, origin="it")]
    except InputRefusedError:
        return "refused"
    return "candidates" if found else "nothing"


def main(seconds: float, report: Callable[[str], object] = print) -> None:
    """Try damaged containers for some seconds, and print what came of them."""
    counts: Counter[str] = Counter()
    slowest, seed, end = 0.0, int(time.time()), time.monotonic() + seconds
    source = random.Random(seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as name:
        data, staging = Path(name) / "data", Path(name) / "staging"
        dataset = small_dataset(data)
        staging.mkdir()
        datasets.KNOWN["mnist"] = dataset
        good = kinds(dataset, data)
        while time.monotonic() < end:
            kind = source.choice(sorted(good))
            start = time.monotonic()
            try:
                result = outcome(damage(good[kind], source), dataset, staging)
            except BaseException as error:
                result = f"UNCAUGHT {kind}: {error!r:.200}"
            slowest = max(slowest, time.monotonic() - start)
            counts[result] += 1
    report(f"seed {seed}, slowest {slowest:.2f} s")
    for result, count in counts.most_common():
        report(f"{count:8,} {result}")


if __name__ == "__main__":
    main(float(sys.argv[1]))
