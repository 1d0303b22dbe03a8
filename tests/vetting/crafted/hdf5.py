"""Files that misuse HDF5: links, external storage, filters, wrong shapes, types and text."""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.vetting.crafted.handmade import (
    small,
    small_weights,
    write_h5,
    write_keras,
    write_weights,
)
from tests.vetting.crafted.row import Row, from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    Edit = Callable[[Any], None]


def _replace(file: Any, path: str, **settings: Any) -> None:
    del file[path]
    file.create_dataset(path, **settings)


def _external_link(file: Any, path: str) -> None:
    import h5py

    del file[path]
    file[path] = h5py.ExternalLink("/etc/passwd", "/x")


def _soft_link(file: Any, path: str) -> None:
    import h5py

    del file[path]
    file[path] = h5py.SoftLink("/")


def _linked_group(file: Any, path: str) -> None:
    """Reach the weights through a group that is a link to another file."""
    import h5py

    group = path.rpartition("/")[0]
    del file[group]
    file[group] = h5py.ExternalLink("/etc/passwd", "/x")


def _linked_top(file: Any, path: str) -> None:
    import h5py

    group = path.partition("/")[0]
    del file[group]
    file[group] = h5py.ExternalLink("/etc/passwd", "/x")


def _shared(file: Any, path: str) -> None:
    file[f"{path}_again"] = file[path]


def _cycle(file: Any, path: str) -> None:
    group = file[path].parent
    group["loop"] = group


def _external_storage(file: Any, path: str) -> None:
    _replace(file, path, shape=(16, 10), dtype="f4", external=[("/etc/passwd", 0, 640)])


def _virtual(file: Any, path: str) -> None:
    import h5py

    del file[path]
    layout = h5py.VirtualLayout(shape=(16, 10), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(16, 10))
    file.create_virtual_dataset(path, layout)


def _lzf(file: Any, path: str) -> None:
    _replace(file, path, data=np.zeros((16, 10), "f4"), compression="lzf")


def _scaled(file: Any, path: str) -> None:
    _replace(file, path, data=np.zeros((16, 10), "f4"), scaleoffset=2)


def _gzip_nan(file: Any, path: str) -> None:
    _replace(file, path, data=np.full((16, 10), np.nan, "f4"), compression="gzip")


def _gzip_many(file: Any, path: str) -> None:
    # Each is within the limit; all of them are not.
    for number in range(9):
        values = np.zeros((2**18, 10), "f4")
        file.create_dataset(f"{path}_{number}", data=values, compression="gzip", compression_opts=1)


def _chunk(data: bytes) -> Callable[[Any, str], None]:
    def edit(file: Any, path: str) -> None:
        _replace(file, path, shape=(16, 10), dtype="f4", chunks=(16, 10), compression="gzip")
        file[path].id.write_direct_chunk((0, 0), data)

    return edit


def _unwritten(file: Any, path: str) -> None:
    _replace(file, path, shape=(16, 10), dtype="f4", chunks=(4, 10))


def _inflating(file: Any, path: str) -> None:
    # One chunk of 640 bytes that inflates to 100 MB.
    data = zlib.compress(bytes(100_000_000), 1)
    _chunk(data)(file, path)


def _gzip_bomb(file: Any, path: str) -> None:
    _replace(file, path, shape=(2**20, 1000), dtype="f4", chunks=(2**14, 100), compression="gzip")


def _chunked_bomb(file: Any, path: str) -> None:
    _replace(file, path, shape=(2**40, 10), dtype="f4", chunks=(64, 10))


def _filled_bomb(file: Any, path: str) -> None:
    # Contiguous storage that was never written: HDF5 would fill it with the fill value.
    _replace(file, path, shape=(2**20, 1000), dtype="f4", fillvalue=0.5)


def _vast(file: Any, path: str) -> None:
    _replace(file, path, shape=(2**31, 2**31), dtype="f4", chunks=(1, 1))


def _nan(file: Any, path: str) -> None:
    file[path][3, 3] = np.nan


def _infinity(file: Any, path: str) -> None:
    file[path][0, 0] = -np.inf


def _typed(**settings: Any) -> Callable[[Any, str], None]:
    def edit(file: Any, path: str) -> None:
        _replace(file, path, **settings)

    return edit


def _vlen(file: Any, path: str) -> None:
    import h5py

    _replace(file, path, shape=(16,), dtype=h5py.vlen_dtype("f4"))


def _reference(file: Any, path: str) -> None:
    import h5py

    _replace(file, path, shape=(16,), dtype=h5py.ref_dtype)


def _named_type(file: Any, path: str) -> None:
    file[f"{path}_type"] = np.dtype("f8")


def _hidden(file: Any, path: str) -> None:
    file[f"{path}_hidden"] = np.zeros(5, "f4")


def _escape(file: Any, path: str) -> None:
    file.move(path, path + "\x1b[2J")


def _dotted(file: Any, path: str) -> None:
    file.move(path, path + "..")


def _attribute(file: Any, path: str) -> None:
    file[path].attrs["dtype"] = "float32"


def _group_attribute(file: Any, path: str) -> None:
    file[path].parent.attrs["pickle"] = b"cos\nsystem\n."


def _many(file: Any, path: str) -> None:
    group = file[path].parent
    for number in range(4_001):
        group.create_group(f"g{number}")


def _deep(file: Any, path: str) -> None:
    file.create_group(path.rsplit("/", 1)[0] + "/a" * 40)


_SHORT = "a chunk of .* doesn't have the declared 640 bytes"
_NO_FLOATS = "does not contain floating-point numbers"

# Edits of the kernel's dataset, each applied to both formats, and the expected reason.
_EDITS: list[tuple[str, str, Any, str]] = [
    ("external_link", "links", _external_link, "soft or external link"),
    ("soft_link", "links", _soft_link, "soft or external link"),
    ("shared_link", "hidden", _shared, "linked more than once"),
    ("link_cycle", "hidden", _cycle, "linked more than once"),
    ("linked_group", "links", _linked_group, "soft or external link"),
    ("linked_top", "links", _linked_top, "soft or external link"),
    ("external_storage", "links", _external_storage, "another file"),
    ("virtual_storage", "links", _virtual, "another file"),
    ("lzf_filter", "bombs", _lzf, "compressed in an unusual way"),
    ("scale_filter", "bombs", _scaled, "compressed in an unusual way"),
    ("gzip_bomb", "bombs", _gzip_bomb, "unpacks to 4,[0-9]{3},...,... bytes"),
    ("gzip_many", "bombs", _gzip_many, "unpacks to 10,485,760 bytes"),
    ("gzip_chunk_corrupt", "corrupt", _chunk(b"no deflate stream"), _SHORT),
    ("gzip_inflating", "bombs", _inflating, _SHORT),
    ("gzip_chunk_short", "corrupt", _chunk(zlib.compress(bytes(64))), _SHORT),
    ("chunk_missing", "corrupt", _unwritten, "has 0 chunks"),
    ("gzip_nan_weight", "numbers", _gzip_nan, "contains NaN or infinity"),
    ("chunked_bomb", "bombs", _chunked_bomb, "unpacks to [0-9,]+ bytes"),
    ("filled_bomb", "bombs", _filled_bomb, r"contains 0 bytes"),
    ("vast_shape", "bombs", _vast, "unpacks to [0-9,]+ bytes"),
    ("many_groups", "bombs", _many, "more than 4,000 objects"),
    ("deep_groups", "bombs", _deep, "nested more than 32 deep"),
    ("nan_weight", "numbers", _nan, "contains NaN or infinity"),
    ("infinite_weight", "numbers", _infinity, "contains NaN or infinity"),
    (
        "integer_weight",
        "numbers",
        _typed(data=np.zeros((16, 10), "i4")),
        _NO_FLOATS,
    ),
    ("text_weight", "numbers", _typed(data=[b"evil"] * 4), _NO_FLOATS),
    (
        "compound_weight",
        "numbers",
        _typed(data=np.zeros(4, "f4,f4")),
        _NO_FLOATS,
    ),
    ("opaque_weight", "numbers", _typed(data=np.zeros(4, "V2")), _NO_FLOATS),
    (
        "big_endian_weight",
        "numbers",
        _typed(data=np.zeros(4, ">f4")),
        _NO_FLOATS,
    ),
    ("ragged_weight", "numbers", _vlen, _NO_FLOATS),
    ("reference_weight", "numbers", _reference, _NO_FLOATS),
    ("named_type", "numbers", _named_type, "a named datatype"),
    ("hidden_weight", "hidden", _hidden, "belongs to no layer"),
    ("weight_attribute", "hidden", _attribute, "with attributes"),
    ("group_attribute", "hidden", _group_attribute, "unsupported attribute 'pickle'"),
    ("terminal_escape_path", "text", _escape, r"\\x1b\[2J"),
    ("dotted_path", "text", _dotted, "is named"),
]
_H5_KERNEL = "model_weights/dense/dense/kernel"
_KERAS_KERNEL = "layers/dense/vars/0"


def _edited() -> list[Row]:
    rows = []
    for name, kind, edit, reason in _EDITS:

        def h5(edit: Any = edit) -> bytes:
            return write_h5(small(), edit=lambda file: edit(file, _H5_KERNEL))

        def keras(edit: Any = edit) -> bytes:
            weights = write_weights(edit=lambda file: edit(file, _KERAS_KERNEL))
            return write_keras(small(), weights)

        rows.append(from_bytes(f"{name}.h5", kind, reason, h5))
        rows.append(from_bytes(f"{name}.keras", kind, reason, keras))
    return rows


def _text(value: Any) -> Edit:
    def edit(file: Any) -> None:
        file.attrs["model_config"] = value

    return edit


def _no_layer_names(file: Any) -> None:
    del file["model_weights"].attrs["layer_names"]


def _gap_in_names(file: Any) -> None:
    top = file["model_weights"]
    del top.attrs["layer_names"]
    top.attrs["layer_names0"] = [b"dense"]
    top.attrs["layer_names2"] = [b"dense"]


def _twice(file: Any) -> None:
    file["model_weights"].attrs["layer_names"] = [b"dense", b"dense"]


def _missing_weight(file: Any) -> None:
    del file["model_weights/dense/dense/bias"]


def _text_bomb() -> bytes:
    """Refer to one long string 4,000 times: 1.6 GB from a file of half a megabyte."""
    import h5py

    def edit(file: Any) -> None:
        names = ["x" * 400_000, *["y"] * 3_999]
        file["model_weights/dense"].attrs.create("weight_names", names, dtype=h5py.string_dtype())

    data = bytearray(write_h5(small(), edit=edit))
    start = data.index(struct.pack("<L", 400_000))
    data[start : start + 16 * 4_000] = data[start : start + 16] * 4_000
    return bytes(data)


def _endless() -> bytes:
    """Zero a heap's list of objects: HDF5 then loops in it forever, in native code."""
    data = bytearray(write_h5(small()))
    at = data.index(b"3.15.1")
    data[at - 16 : at + 48] = bytes(64)
    return bytes(data)


def _many_names(file: Any) -> None:
    file["model_weights"].attrs["layer_names"] = np.array([b"dense"] * 6_000)


def _overdrawn() -> bytes:
    """Declare a dataset of half a gigabyte, in shape and in storage alike."""
    data = write_h5(small())
    for size in (struct.pack("<Q", 640), struct.pack("<QQ", 16, 10)):
        number = struct.unpack("<Q", size[:8])[0] * 2**20
        assert data.count(size) >= 1
        data = data.replace(size, struct.pack("<Q", number) + size[8:])
    return data


def _unnamed(file: Any) -> None:
    del file.attrs["model_config"]


def _user_block() -> bytes:
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=512) as file:
        file.attrs["model_config"] = json.dumps(small())
    return buffer.getvalue()


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _damaged() -> bytes:
    data = bytearray(write_h5(small()))
    data[96:400] = bytes(304)
    return bytes(data)


_TEXTS: list[tuple[str, str, Edit, str]] = [
    ("config_twice", "text", _text('{"class_name": "A", "class_name": "B"}'), "duplicate key"),
    ("config_nan", "text", _text('{"class_name": NaN}'), "the number NaN"),
    ("config_not_json", "text", _text("cos\nsystem\n."), "not JSON"),
    ("config_list", "text", _text("[1, 2]"), "expected|is \\[1, 2\\]"),
    ("config_deep", "text", _text("[" * 60_000), "nested too deeply|not JSON"),
    ("config_utf16", "text", _text(np.void(json.dumps(small()).encode("utf-16"))), "not text"),
    ("config_not_ascii", "text", _text('{"class_name": "Séquentiel"}'), "not plain ASCII"),
    ("config_array", "text", _text([json.dumps(small())] * 2), "has the shape"),
    ("config_missing", "corrupt", _unnamed, "without a Keras model"),
    ("layers_unnamed", "corrupt", _no_layer_names, "no list of layers"),
    ("layer_names_gap", "hidden", _gap_in_names, "invalid numbering"),
    ("layer_names_twice", "corrupt", _twice, "missing or listed twice"),
    ("many_names", "bombs", _many_names, "is too long"),
    ("weight_missing", "corrupt", _missing_weight, "missing or listed twice"),
]


def _row(name: str, kind: str, edit: Edit, reason: str) -> Row:
    return from_bytes(f"{name}.h5", kind, reason, lambda: write_h5(small(), edit=edit))


ROWS = [
    *_edited(),
    *(_row(*item) for item in _TEXTS),
    from_bytes("text_bomb.h5", "bombs", "more memory than|corrupt", _text_bomb, greedy=True),
    from_bytes("endless.h5", "bombs", "'vet' takes too much processor time", _endless, greedy=True),
    from_bytes("overdrawn.h5", "bombs", "corrupt|more bytes than the file has", _overdrawn),
    from_bytes("user_block.h5", "corrupt", "an HDF5 file with other data before it", _user_block),
    from_bytes("truncated.h5", "corrupt", "corrupt", lambda: _half(write_h5(small()))),
    from_bytes("damaged.h5", "corrupt", "corrupt|without a Keras model|ended", _damaged),
    from_bytes(
        "weights_only.h5",
        "corrupt",
        "the weights of a model, but not the model",
        lambda: write_weights({"layers/dense/vars/0": small_weights()["dense"]["kernel"]}),
    ),
]
