"""Whatever is wrong with what a source has, the next source is tried."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from mnist_tasks.data import fetching
from mnist_tasks.data.local import Local
from mnist_tasks.data.sources import Mirror, Source
from tests.data import archives
from tests.data.test_sources import QUICK, Recorder
from tests.server import send, serve


def npy(header: bytes) -> bytes:
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header


def patched(content: bytes, *, flags: bytes = b"\0", method: bytes = b"\0") -> bytes:
    """Change a member's flags or compression, in its header and in the list at the end."""
    data = bytearray(content)
    end = data.index(b"PK\x01\x02")
    data[6:7] = data[end + 8 : end + 9] = flags
    data[8:9] = data[end + 10 : end + 11] = method
    return bytes(data)


def twice(member: bytes) -> bytes:
    with tarfile.open(fileobj=(buffer := io.BytesIO()), mode="w") as archive:
        for _ in range(2):
            info = tarfile.TarInfo("a/" * 2_000 + "train-images-idx3-ubyte")
            info.size = len(member)
            archive.addfile(info, io.BytesIO(member))
    return buffer.getvalue()


STORED = archives.zipped({"x_train.npy": bytes(200)}, zipfile.ZIP_STORED)
ZEROS = b"\0\0\x08\x03" + struct.pack(">III", 512, 28, 28) + bytes(512 * 784)
BAD = {
    "twice, with a long name": twice(ZEROS),
    "encrypted": patched(STORED, flags=b"\x01"),
    "strongly encrypted": patched(STORED, flags=b"\x41"),
    "lzma": archives.zipped({"a": ZEROS}, zipfile.ZIP_LZMA),
    "deflate64": patched(STORED, method=b"\x09"),
    "zstandard": patched(STORED, method=b"\x5d"),
    "AES": patched(STORED, flags=b"\x01", method=b"\x63"),
    "damaged bz2": bz2.compress(ZEROS)[:-9],
    "damaged xz": lzma.compress(ZEROS)[:-9],
    "MemoryError": npy(b"-" * 9_000 + b"1"),
    "RecursionError": npy(b"1" + b"+1" * 4_900),
    "TokenError": npy(b"{'descr': '|u1'\n"),
    "an impossible type": npy(b"{'descr': '|S99999999999', 'fortran_order': 0, 'shape': (512,)}"),
    "nothing": b"",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_bad_container_is_its_sources_fault(
    small_mnist: Path, tmp_path: Path, content: bytes
) -> None:
    with serve(lambda request: send(request, content)) as url:
        sources: list[Source] = [Mirror("bad", f"{url}mnist.npz", QUICK), Local(small_mnist)]
        result = fetching.fetch(tmp_path / "cache", sources, progress=Recorder())
    assert {file.source for file in result.files} == {str(small_mnist)}
    assert len(result.failures) == 1
    assert result.failures[0].startswith((url, "train-images-idx3-ubyte from bad: SHA-256"))


def test_files_that_are_there_twice_are_taken_once(small_mnist: Path, tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in small_mnist.iterdir()}
    with tarfile.open(tmp_path / "twice.tar", "w") as archive:
        for name, content in [*files.items(), *files.items()]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    source = Local(tmp_path / "twice.tar")
    result = fetching.fetch(tmp_path / "cache", [source], progress=Recorder())
    assert result.failures == ()


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that can't be read")
def test_a_file_that_cant_be_read_is_its_sources_fault(small_mnist: Path, tmp_path: Path) -> None:
    sources = [Local(Path("/proc/self/mem")), Local(small_mnist)]
    result = fetching.fetch(tmp_path / "cache", sources, progress=Recorder())
    assert result.failures == ("/proc/self/mem: Input/output error",)


def test_a_vast_header_of_an_array_is_not_read(small_mnist: Path, tmp_path: Path) -> None:
    start = b"\x93NUMPY\x02\x00" + struct.pack("<I", 200 << 20)
    packed = io.BytesIO()
    with gzip.open(packed, "wb", compresslevel=1) as file:
        file.write(start)
        for _ in range(200):
            file.write(bytes(1 << 20))
    (tmp_path / "vast").write_bytes(packed.getvalue())
    began = time.process_time()
    sources = [Local(tmp_path / "vast"), Local(small_mnist)]
    result = fetching.fetch(tmp_path / "cache", sources, progress=Recorder())
    assert time.process_time() - began < 5
    assert "a header of a NumPy array of 209,715,200 bytes" in result.failures[0]
