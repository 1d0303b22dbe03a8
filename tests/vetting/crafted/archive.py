"""Files that misuse the .keras archive: its members, its headers, and bytes outside them."""

from __future__ import annotations

import json
import struct
import zipfile
from typing import TYPE_CHECKING, Any

from tests.vetting.crafted.handmade import (
    input_layer,
    layer,
    members,
    sequential,
    small,
    write_h5,
    write_keras,
    write_weights,
    zipped,
)
from tests.vetting.crafted.row import Row, from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable


def _plus(**extra: bytes) -> Callable[[], bytes]:
    return lambda: zipped([*members(small()).items(), *extra.items()])


def _with(name: str, data: bytes) -> Callable[[], bytes]:
    return lambda: zipped({**members(small()), name: data}.items())


def _without(name: str) -> Callable[[], bytes]:
    return lambda: zipped((key, value) for key, value in members(small()).items() if key != name)


def _renamed(old: str, new: str) -> Callable[[], bytes]:
    return lambda: zipped(
        (new if key == old else key, value) for key, value in members(small()).items()
    )


def _twice() -> bytes:
    # The first and the last directory entry would be two different models.
    items = list(members(small()).items())
    data = zipped([*items, ("config.jsom", items[1][1])])
    return data.replace(b"config.jsom", b"config.json")


def _patched(offset: int, value: bytes, *, directory: bool) -> Callable[[], bytes]:
    """Change a field of config.json's header, in the directory or before the data."""

    def make() -> bytes:
        data = bytearray(write_keras(small()))
        mark = b"PK\x01\x02" if directory else b"PK\x03\x04"
        name_at = 46 if directory else 30
        start = data.index(mark)
        while data[start + name_at : start + name_at + 11] != b"config.json":
            start = data.index(mark, start + 4)
        data[start + offset : start + offset + len(value)] = value
        return bytes(data)

    return make


def _huge_config() -> bytes:
    items = {**members(small()), "config.json": b" " * 200_000_000}
    return zipped(items.items(), method=zipfile.ZIP_DEFLATED)


def _large_config() -> bytes:
    return write_keras(b" " * 1_500_000 + json.dumps(small()).encode())


def _prefixed() -> bytes:
    # Most programs still read this as an archive: they start from its end.
    return b"PK\x03\x04" + b"#!/bin/sh\n" + write_keras(small())


def aligned() -> bytes:
    """Return an archive whose weights begin where HDF5 would look for a file in it."""
    config = json.dumps(small()).encode()
    missing = -write_keras(config).index(b"\x89HDF") % 2048
    return write_keras(config + b" " * missing)


def _add_model(file: Any) -> None:
    file.attrs["model_config"] = json.dumps(sequential(input_layer(), layer("Lambda", "code")))


def _metadata(**entries: object) -> Callable[[], bytes]:
    return _with("metadata.json", json.dumps(entries).encode())


ROWS: list[Row] = [
    from_bytes("extra_member.keras", "archive", "the archive contains", _plus(evil=b"1")),
    from_bytes("assets.keras", "archive", "the archive contains", _plus(**{"assets/v.txt": b"1"})),
    from_bytes("traversal.keras", "archive", "the archive contains", _plus(**{"../../evil": b"1"})),
    from_bytes("member_twice.keras", "archive", "the archive contains", _twice),
    from_bytes("no_config.keras", "archive", "the archive contains", _without("config.json")),
    from_bytes("no_weights.keras", "archive", "the archive contains", _without("model.weights.h5")),
    from_bytes(
        "npz_weights.keras",
        "archive",
        "the archive contains",
        _renamed("model.weights.h5", "model.weights.npz"),
    ),
    from_bytes(
        "escape_in_member.keras",
        "text",
        r"the archive contains .*\\x1b\[31m",
        _renamed("metadata.json", "\x1b[31mmetadata.json"),
    ),
    from_bytes(
        "deflated.keras",
        "archive",
        "compressed",
        lambda: zipped(members(small()).items(), method=zipfile.ZIP_DEFLATED),
    ),
    from_bytes("zip_bomb.keras", "bombs", "compressed", _huge_config),
    from_bytes("large_config.keras", "bombs", "has 1,50[0-9],... bytes", _large_config),
    from_bytes(
        "symlink_member.keras",
        "archive",
        "not a regular file",
        lambda: zipped(members(small()).items(), mode=0o120777),
    ),
    from_bytes(
        "archive_comment.keras",
        "archive",
        "bytes outside its members",
        lambda: zipped(members(small()).items(), comment=b"hello"),
    ),
    from_bytes("prefixed.keras", "archive", "disagree|outside", _prefixed),
    from_bytes(
        "trailing.keras", "archive", "corrupt|outside", lambda: write_keras(small()) + b"x" * 1000
    ),
    from_bytes(
        "encrypted.keras",
        "archive",
        "encrypted",
        _patched(8, struct.pack("<H", 1), directory=True),
    ),
    from_bytes(
        "headers_disagree_size.keras",
        "archive",
        "disagree",
        _patched(22, struct.pack("<L", 5), directory=False),
    ),
    from_bytes(
        "headers_disagree_name.keras",
        "archive",
        "corrupt|disagree",
        _patched(30, b"cOnfig.json", directory=False),
    ),
    from_bytes(
        "headers_disagree_flags.keras",
        "archive",
        "corrupt|disagree",
        _patched(6, struct.pack("<H", 8), directory=False),
    ),
    from_bytes(
        "size_lies.keras",
        "archive",
        "compressed|corrupt|disagree",
        _patched(24, struct.pack("<L", 2**31), directory=True),
    ),
    from_bytes(
        "wrong_checksum.keras",
        "corrupt",
        "corrupt|disagree",
        _patched(16, b"\0\0\0\0", directory=True),
    ),
    from_bytes(
        "overlapping.keras",
        "archive",
        "corrupt|disagree|outside",
        _patched(42, struct.pack("<L", 0), directory=True),
    ),
    from_bytes(
        "weights_no_hdf5.keras", "corrupt", "corrupt", lambda: write_keras(small(), b"not HDF5")
    ),
    from_bytes(
        "weights_of_h5_format.keras",
        "hidden",
        "a model of its own",
        lambda: write_keras(small(), write_h5(small())),
    ),
    from_bytes(
        "weights_with_model.keras",
        "hidden",
        "a model of its own",
        lambda: write_keras(small(), write_weights(edit=_add_model)),
    ),
    from_bytes(
        "zip_after_hdf5.keras",
        "archive",
        "HDF5 file and a ZIP archive in one",
        lambda: write_h5(small()) + write_keras(small()),
        outcome="model-can-run-code",
        tries="a sound HDF5 file for who looks at the start, an archive for Keras",
    ),
    from_bytes(
        "hdf5_in_zip.h5",
        "archive",
        "HDF5 file and a ZIP archive in one",
        aligned,
        outcome="model-can-run-code",
        tries="a sound archive, whose weights HDF5 would open as a file",
    ),
    from_bytes(
        "metadata_key.keras", "text", "metadata.json has the invalid entry", _metadata(evil="1")
    ),
    from_bytes("metadata_escape.keras", "text", r"\\x1b\[2J", _metadata(keras_version="\x1b[2J")),
    from_bytes("metadata_list.keras", "text", "metadata.json", _with("metadata.json", b"[1]")),
    from_bytes(
        "config_bom.keras",
        "text",
        "not plain ASCII",
        lambda: write_keras(b"\xef\xbb\xbf" + json.dumps(small()).encode()),
    ),
    from_bytes(
        "config_utf16.keras",
        "text",
        "not plain ASCII|not JSON",
        lambda: write_keras(json.dumps(small()).encode("utf-16-le")),
    ),
    from_bytes(
        "truncated.keras",
        "corrupt",
        "corrupt",
        lambda: write_keras(small())[:-600],
    ),
    from_bytes(
        "config_twice.keras",
        "text",
        "duplicate key",
        lambda: write_keras(b'{"class_name": "Sequential", "class_name": "Lambda"}'),
    ),
]
