"""Archives of the kinds that the standard library does not write, or not in one call."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path


def ar(files: Mapping[str, bytes]) -> bytes:
    """Return an ar archive."""
    content = b"!<arch>\n"
    for name, data in files.items():
        header = f"{name:<16.16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n"
        content += header.encode() + data + b"\n" * (len(data) % 2)
    return content


def tar(files: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar archive in one of the formats of `tarfile`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive with one of the compressions of `zipfile`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)  # else with the time of day
            archive.writestr(info, data, compress_type=method)
    return buffer.getvalue()


def deb(folder: Path) -> bytes:
    """Return a Debian package, as dpkg-deb makes it, with the files of a folder."""
    files = {
        f"./usr/share/datasets/{path.name}.gz": gzip.compress(path.read_bytes())
        for path in sorted(folder.iterdir())
    }
    control = lzma.compress(tar({"./control": b"Package: data\n"}))
    return ar(
        {
            "debian-binary": b"2.0\n",
            "control.tar.xz": control,
            "data.tar.xz": lzma.compress(tar(files)),
        }
    )
