"""Containers are recognized and unpacked by content."""

from __future__ import annotations

import gzip
import io
import re
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import disk
from mnist_tasks.data import containers, datasets, streams
from mnist_tasks.errors import InputRefusedError
from tests import generated

if TYPE_CHECKING:
    from collections.abc import Callable


def unpack(container: Path, staging: Path) -> dict[str, str]:
    """Return the hash of each candidate, by name."""
    staging.mkdir()
    found = containers.unpack(container, datasets.default().files, staging, origin="the container")
    return {file.name: disk.sha256(path) for file, path in found}


def everything() -> dict[str, str]:
    return {file.name: file.sha256 for file in datasets.default().files}


def tarball(folder: Path, target: Path) -> None:
    with tarfile.open(target, "w:gz") as archive:
        archive.add(Path(__file__), "package/index.js")
        for number, path in enumerate(sorted(folder.iterdir())):
            archive.add(path, f"package/data/{number}")


def npz(folder: Path, target: Path, *, compressed: bool = True) -> None:
    arrays = {}
    for split, seed, count in (("train", 0, 512), ("test", 1, 128)):
        arrays[f"x_{split}"], arrays[f"y_{split}"] = generated.digits(count, seed)
    (np.savez_compressed if compressed else np.savez)(target, **arrays)  # type: ignore[arg-type]
    assert folder.is_dir()


@pytest.mark.parametrize("pack", [tarball, npz])
def test_an_archive_yields_all_four(
    small_mnist: Path, tmp_path: Path, pack: Callable[[Path, Path], None]
) -> None:
    # A misleading name must not matter.
    archive = tmp_path / "archive.npz"
    pack(small_mnist, archive)
    assert unpack(archive.rename(tmp_path / "cat.jpeg"), tmp_path / "staging") == everything()


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_an_idx_file_is_recognized_by_its_header(
    small_mnist: Path, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    file = datasets.default().test[1]
    container = tmp_path / "anything"
    container.write_bytes(compress((small_mnist / file.name).read_bytes()))
    assert unpack(container, tmp_path / "staging") == {file.name: file.sha256}


def test_files_of_the_same_shape_are_told_apart_by_their_hashes(tmp_path: Path) -> None:
    dataset = generated.write(tmp_path / "data", train=20, test=20)
    archive = tmp_path / "archive"
    tarball(tmp_path / "data", archive)
    found = containers.unpack(archive, dataset.files, tmp_path, origin="the archive")
    assert {file.name: disk.sha256(path) for file, path in found} == {
        file.name: file.sha256 for file in dataset.files
    }


def test_only_wanted_files_are_unpacked(small_mnist: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    tarball(small_mnist, archive)
    wanted = datasets.default().test
    found = list(containers.unpack(archive, wanted, tmp_path, origin="the archive"))
    assert {file.name for file, _ in found} == {file.name for file in wanted}


def test_a_gzip_bomb_is_unpacked_to_one_byte_too_many(small_mnist: Path, tmp_path: Path) -> None:
    assert small_mnist.is_dir()
    file = datasets.default().train[1]
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(file.header + bytes(50_000_000)))
    ((_, candidate),) = containers.unpack(bomb, [file], tmp_path, origin="a bomb")
    assert candidate.stat().st_size == file.bytes + 1


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><title>Sign in</title>", "a web page, not data: <!DOCTYPE html>"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "starts with the bytes 89 48 44 46"),
    ],
)
def test_an_unknown_file_is_refused_and_described(
    tmp_path: Path, content: bytes, found: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputRefusedError) as caught:
        unpack(path, tmp_path / "staging")
    assert found in caught.value.found


@pytest.mark.parametrize("pack", [tarball, npz])
@pytest.mark.parametrize("keep", [0.2, 0.9])
def test_a_truncated_archive_is_refused(
    small_mnist: Path, tmp_path: Path, pack: Callable[[Path, Path], None], keep: float
) -> None:
    archive = tmp_path / "archive.npz"
    pack(small_mnist, archive)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(InputRefusedError, match="damaged or truncated"):
        unpack(archive, tmp_path / "staging")


def test_a_pickled_array_is_refused_and_not_loaded(small_mnist: Path, tmp_path: Path) -> None:
    assert small_mnist.is_dir()
    archive = tmp_path / "archive.npz"
    np.savez(archive, x_train=np.array([{"a": 1}], dtype=object))
    with pytest.raises(
        InputRefusedError, match=r"x_train.npy: an array of object with shape \(1,\)"
    ):
        unpack(archive, tmp_path / "staging")


def test_an_array_that_python_2_wrote_is_read(small_mnist: Path, tmp_path: Path) -> None:
    file = datasets.default().test[1]
    np.save(buffer := io.BytesIO(), np.frombuffer((small_mnist / file.name).read_bytes()[8:], "u1"))
    old = buffer.getvalue().replace(b"(128,), } ", b"(128L,), }")  # a warning of NumPy's
    assert old != buffer.getvalue()
    (tmp_path / "old").write_bytes(old)
    assert unpack(tmp_path / "old", tmp_path / "staging") == {file.name: file.sha256}


MAD_HEADERS = [
    b"\x93NUMPY\x01\x00\xff\xff{'a'",
    b"\x93NUMPY\x01\x00\xff\x0f" + b"(" * 4095,
    b"\x93NUMPY\x01\x00\x10\x00{'descr': '|u1'\n",
    b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
    b"\x93NUMPY\x09\x00\x00\x00",
]


@pytest.mark.parametrize("content", MAD_HEADERS)
def test_an_npz_with_a_mad_array_is_refused(
    small_mnist: Path, tmp_path: Path, content: bytes
) -> None:
    assert small_mnist.is_dir()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x_train.npy", content)
    path = tmp_path / "archive"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(InputRefusedError, match=r"x_train.npy: can't be read \(.+\)"):
        unpack(path, tmp_path / "staging")


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_vast_file_or_header_of_a_tarball_is_not_read_into_memory(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: bytes
) -> None:
    info = tarfile.TarInfo("vast")
    info.type, info.size = kind, (1 << 33) - 1
    archive = tmp_path / "archive"
    archive.write_bytes(gzip.compress(info.tobuf() + bytes(40 << 20), compresslevel=1))
    monkeypatch.setattr(containers, "LARGEST_OTHERS", 20 << 20)
    tracemalloc.start()
    with pytest.raises(InputRefusedError, match=r"more than 24,991,104 bytes unpacked"):
        unpack(archive, tmp_path / "staging")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 << 20


def test_a_tarball_of_too_many_files_is_refused(small_mnist: Path, tmp_path: Path) -> None:
    assert small_mnist.is_dir()
    header = tarfile.TarInfo("empty").tobuf()
    archive = tmp_path / "archive"
    archive.write_bytes(gzip.compress(header * 20_000, compresslevel=1))
    with pytest.raises(InputRefusedError, match="more than 10,000 files"):
        unpack(archive, tmp_path / "staging")


@pytest.mark.parametrize(
    ("compression", "patch", "found"),
    [
        (zipfile.ZIP_LZMA, b"", "a compression other than NumPy's"),
        (zipfile.ZIP_BZIP2, b"", "a compression other than NumPy's"),
        (zipfile.ZIP_STORED, b"\x01", "encrypted"),
        (zipfile.ZIP_STORED, b"\x20", "patched"),
    ],
)
def test_an_npz_that_numpy_did_not_write_is_refused(
    small_mnist: Path, tmp_path: Path, compression: int, patch: bytes, found: str
) -> None:
    assert small_mnist.is_dir()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("x_train.npy", bytes(200))
    content = bytearray(buffer.getvalue())
    if patch:  # the flags of the file, in its header and in the list at the end
        content[6:7] = patch
        place = content.index(b"PK\x01\x02") + 8
        content[place : place + 1] = patch
    path = tmp_path / "archive"
    path.write_bytes(content)
    with pytest.raises(InputRefusedError, match=found):
        unpack(path, tmp_path / "staging")


def test_a_gzip_file_in_parts_is_unpacked(small_mnist: Path, tmp_path: Path) -> None:
    file = datasets.default().test[0]
    content = (small_mnist / file.name).read_bytes()
    parts = [content[:7], b"", content[7:70_000], content[70_000:]]
    path = tmp_path / "parts.gz"
    path.write_bytes(b"".join(map(gzip.compress, parts)) + bytes(100))
    assert unpack(path, tmp_path / "staging") == {file.name: file.sha256}


def test_a_gzip_file_of_too_many_parts_is_refused(small_mnist: Path, tmp_path: Path) -> None:
    path = tmp_path / "parts.gz"
    path.write_bytes(gzip.compress(b"") * 100_000)
    with pytest.raises(InputRefusedError, match="more than 10,000 files"):
        unpack(path, tmp_path / "staging")


@pytest.mark.parametrize(
    ("count", "found"), [(40_000, "more than 10,000 files"), (100_000, "a table of contents of")]
)
def test_a_zip_of_too_many_files_is_refused(
    small_mnist: Path, tmp_path: Path, count: int, found: str
) -> None:
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        archive.writestr("a", b"")
    start, entry, end = re.split(b"(?=PK\x01\x02|PK\x05\x06)", buffer.getvalue())
    sizes = struct.pack("<II", count * len(entry), len(start))
    path = tmp_path / "archive"
    path.write_bytes(start + entry * count + end[:12] + sizes + end[20:])
    with pytest.raises(InputRefusedError, match=found):
        unpack(path, tmp_path / "staging")


def test_unpacking_ends_at_its_time_limit(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "archive"
    tarball(small_mnist, archive)
    monkeypatch.setattr(streams, "TIME_LIMIT", 0.0)
    with pytest.raises(InputRefusedError, match="one with more than 0 s of unpacking"):
        unpack(archive, tmp_path / "staging")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that can't be read")
def test_a_file_that_cant_be_read_is_to_blame(tmp_path: Path) -> None:
    path = Path("/proc/self/mem")  # its first bytes are an input/output error
    with pytest.raises(InputRefusedError, match="the container: Input/output error"):
        unpack(path, tmp_path / "staging")
