"""The static pass: what a model file declares, read without Keras and held to what is allowed."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnist_tasks.vetting.config_values import mapping
from mnist_tasks.vetting.h5_format import Contents, read_h5
from mnist_tasks.vetting.model_config import Described, Reader
from mnist_tasks.vetting.untrusted_text import RefusedError, is_name, read_json, shown

if TYPE_CHECKING:
    from mnist_tasks.vetting.limits import Limits

# Keras 2.13 and later stores running sums; the largest known metric keeps 200.
_METRIC = 200
_MEMBERS = ("metadata.json", "config.json", "model.weights.h5")


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a file that passed says of itself.

    Attributes
    ----------
    layers
        The class of each layer, in order, models within the model unrolled.
    weights
        How many numbers it brings, the optimizer's apart.
    config
        The model's description, as Keras will read it.
    """

    layers: tuple[str, ...]
    weights: int
    config: Any


def vet_bytes(data: bytes, *, kind: str, limits: Limits) -> Declared:
    """Look at a whole model file in memory.

    Raises
    ------
    RefusedError
        With the first thing in it that may not be.
    """
    return _vet_h5(data, limits) if kind == "h5" else _vet_keras(data, limits)


def _vet_h5(data: bytes, limits: Limits) -> Declared:
    contents = read_h5(data, limits=limits, optimizer="optimizer_weights")
    text = contents.texts.get(("", "model_config"))
    if text is None:
        raise RefusedError(
            "there is no model_config in it: it holds weights at most",
            expected="a whole model, written by model.save()",
        )
    config = _json(text, "model_config", limits)
    reader = Reader(limits=limits)
    model = reader.model(config)
    training = contents.texts.get(("", "training_config"))
    if training is not None:
        reader.training(_json(training, "training_config", limits))
    claimed = _claimed(contents)
    unclaimed = {path for path in contents.weights if not path.startswith("/optimizer_weights/")}
    unclaimed -= claimed
    if unclaimed:
        raise RefusedError(f"{shown(min(unclaimed))} belongs to no layer")
    weights = sum(contents.weights[path] for path in claimed)
    return Declared(layers=tuple(model.classes()), weights=weights, config=config)


def _json(text: str, what: str, limits: Limits) -> Any:
    return read_json(text.encode("utf-8", "surrogatepass"), what=what, limit=limits.config_bytes)


def _claimed(contents: Contents) -> set[str]:
    """Follow layer_names and weight_names to the data sets, as Keras does."""
    top = "/model_weights"
    layers = contents.names.get((top, "layer_names"))
    if layers is None:
        raise RefusedError("there is no list of layers beside the weights")
    claimed: set[str] = set()
    for layer in [*layers, "top_level_model_weights"]:
        for weight in contents.names.get((f"{top}/{layer}", "weight_names"), []):
            path = f"{top}/{layer}/{weight}"
            if path not in contents.weights or path in claimed:
                raise RefusedError(f"the weight '{shown(weight)}' is missing or named twice")
            claimed.add(path)
    return claimed


def _vet_keras(data: bytes, limits: Limits) -> Declared:
    metadata, config_text, weights = _members(data)
    about = mapping(read_json(metadata, what="metadata.json", limit=10_000), "metadata.json")
    for key, value in about.items():
        if key not in {"keras_version", "date_saved"} or not is_name(str(value).replace("@", " ")):
            raise RefusedError(f"metadata.json has '{shown(key)}': '{shown(value)}'")
    config = read_json(config_text, what="config.json", limit=limits.config_bytes)
    model = Reader(limits=limits).model(config)
    contents = read_h5(weights, limits=limits, optimizer="optimizer")
    known = set(_places(model, ""))
    total = 0
    for path, count in contents.weights.items():
        if path.startswith("/optimizer/") or (path.startswith("/metrics/") and count <= _METRIC):
            continue  # what training keeps for itself; no prediction reads it
        place = re.fullmatch(r"(.*)/vars/\d{1,3}", path)
        if place is None or place[1] not in known:
            raise RefusedError(f"{shown(path)} belongs to no layer")
        total += count
    return Declared(layers=tuple(model.classes()), weights=total, config=config)


def _places(model: Described, path: str) -> list[str]:
    """Where Keras keeps each layer's weights: numbered by class, not by name."""
    seen: Counter[str] = Counter()
    places = []
    for layer in model.inner:
        kind = "Functional" if layer.kind == "Model" else layer.kind
        snake = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", snake).lower()
        place = f"{path}/layers/{snake}" + (f"_{seen[snake]}" if seen[snake] else "")
        seen[snake] += 1
        places += [place, f"{place}/activation", *_places(layer, place)]
    return places


def _members(data: bytes) -> list[bytes]:
    """Take an archive apart that is laid out as Keras does it, byte for byte."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if sorted(entry.filename for entry in entries) != sorted(_MEMBERS):
                names = ", ".join(shown(entry.filename, limit=30) for entry in entries[:5])
                raise RefusedError(f"the archive holds {names}", expected=", ".join(_MEMBERS))
            _layout(data, entries, archive.start_dir)
            return [archive.read(name) for name in _MEMBERS]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise RefusedError(f"the archive is corrupt: {shown(str(error))}") from error


def _layout(data: bytes, entries: list[zipfile.ZipInfo], directory: int) -> None:
    """Leave no room for a second reading: no gap, no overlap, no two headers that disagree."""
    position = 0
    for entry in sorted(entries, key=lambda item: item.header_offset):
        if (
            entry.compress_type != zipfile.ZIP_STORED
            or entry.file_size != entry.compress_size
            or entry.flag_bits
            or entry.extra
            or entry.comment
            or stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG}
        ):
            raise RefusedError(
                f"the member {entry.filename} is compressed, encrypted or no plain file",
                expected="a stored member",
            )
        name = entry.filename.encode()
        header = (
            struct.pack("<LLLHH", entry.CRC, entry.file_size, entry.file_size, len(name), 0) + name
        )
        start = position + 14
        flags, method = struct.unpack_from("<HH", data, position + 6)
        if (
            entry.header_offset != position
            or (flags, method) != (0, 0)
            or data[start : start + len(header)] != header
        ):
            raise RefusedError(f"the member {entry.filename} has two headers that disagree")
        position = start + len(header) + entry.file_size
    length = sum(46 + len(entry.filename) for entry in entries)
    if position != directory or directory + length + 22 != len(data):
        raise RefusedError("the archive has bytes beside its members")
