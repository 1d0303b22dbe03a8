"""The static check: read a model file without Keras, and compare it with the allow-list."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import Any

from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.static import allowlist, code_names
from mnist_tasks.vetting.static.config_values import json_object
from mnist_tasks.vetting.static.h5_format import H5Content, read_h5
from mnist_tasks.vetting.static.model_config import ConfigChecker, LayerDescription
from mnist_tasks.vetting.static.training_config import check_training
from mnist_tasks.vetting.untrusted_text import RefusedError, is_name, read_json, sanitize, version

# Since Keras 2.13 files contain the state of metrics; the largest known one has 200 numbers.
_LARGEST_METRIC = 200
#: The groups within those of a layer, by its class.
_PARTS = {
    "": ("activation",),
    **dict.fromkeys(allowlist.RECURRENT, ("cell",)),
    "Bidirectional": ("forward_layer/cell", "backward_layer/cell"),
    "MultiHeadAttention": ("query_dense", "key_dense", "value_dense", "output_dense", "gate_dense"),
}
_MEMBERS = ("metadata.json", "config.json", "model.weights.h5")


@dataclass(frozen=True, kw_only=True)
class DeclaredModel:
    """What a file that passed declares; `VettedFile` explains layers and weights."""

    layers: tuple[str, ...]
    weights: int
    config: Any  # the model's description, as Keras will read it
    keras_version: str | None = None  # of the Keras that wrote the file
    constants: int = 0  # numbers in the calls of layers, which are no weights


def vet_bytes(data: bytes, *, file_format: str, limits: Limits) -> DeclaredModel:
    """Check a model file in memory, ``h5`` or ``keras``; refuse it if anything is not allowed."""
    return _vet_h5(data, limits) if file_format == "h5" else _vet_keras(data, limits)


def _vet_h5(data: bytes, limits: Limits) -> DeclaredModel:
    content = read_h5(data, limits=limits, optimizer="optimizer_weights", with_model=True)

    def config(name: str) -> Any:
        text = content.texts["", name].encode("utf-8", "surrogatepass")
        return read_json(text, what=name, limit=limits.config_bytes)

    model_config = config("model_config")
    code_names.check_model(model_config)
    model = ConfigChecker(limits=limits).model(model_config)
    if ("", "training_config") in content.texts:
        check_training(config("training_config"))
    claimed = _claimed(content)
    unclaimed = {path for path in content.weights if not path.startswith("/optimizer_weights/")}
    unclaimed -= claimed
    if unclaimed:
        raise RefusedError(f"{sanitize(min(unclaimed))} belongs to no layer")
    weights = sum(content.weights[path] for path in claimed)
    texts = content.texts
    return DeclaredModel(
        layers=tuple(model.classes()),
        weights=weights,
        config=model_config,
        constants=model.constants,
        keras_version=version(
            texts.get(("", "keras_version")) or texts.get(("/model_weights", "keras_version"))
        ),
    )


def _claimed(content: H5Content) -> set[str]:
    """Return the datasets that layer_names and weight_names lead to, as Keras finds them."""
    top = "/model_weights"
    layers = content.names.get((top, "layer_names"))
    if layers is None:
        raise RefusedError(
            "the weights have no list of layers (layer_names)", outcome="model-unreadable"
        )
    if ("", "layer_names") in content.names:
        # Keras's load_weights prefers this list, and its load_model ignores it.
        raise RefusedError("the root lists layers, too", expected="one list, in model_weights")
    claimed: set[str] = set()
    for layer in [*layers, "top_level_model_weights"]:
        for weight in content.names.get((f"{top}/{layer}", "weight_names"), []):
            path = f"{top}/{layer}/{weight}"
            if path not in content.weights or path in claimed:
                raise RefusedError(
                    f"the weight '{sanitize(weight)}' is missing or listed twice",
                    outcome="model-unreadable",
                )
            claimed.add(path)
    return claimed


def _vet_keras(data: bytes, limits: Limits) -> DeclaredModel:
    metadata, config_text, weights = _members(data)
    entries = json_object(read_json(metadata, what="metadata.json", limit=10_000), "metadata.json")
    for key, value in entries.items():
        if key not in {"keras_version", "date_saved"} or not is_name(str(value).replace("@", " ")):
            raise RefusedError(
                f"metadata.json has the invalid entry '{sanitize(key)}': '{sanitize(value)}'"
            )
    config = read_json(config_text, what="config.json", limit=limits.config_bytes)
    code_names.check_model({**json_object(config, "the model"), "compile_config": None})
    model = ConfigChecker(limits=limits).model(config)
    content = read_h5(weights, limits=limits, optimizer="optimizer")
    if others := {("", "model_config"), ("", "training_config")} & content.texts.keys():
        _, name = min(others)
        raise RefusedError(f"its weights are a file with a model of its own ({name})")
    known = set(_weight_groups(model, "", "layers"))
    known |= set(_weight_groups(model, "", "_layer_checkpoint_dependencies"))  # of Keras 2.14
    total = 0
    for path, count in content.weights.items():
        group, kind = _training_state(path)
        if group in {"", *known} and (kind == "optimizer" or count <= _LARGEST_METRIC):
            continue  # needed for training only; a nested model that was compiled has its own
        place = re.fullmatch(r"(.*)/vars/\d{1,3}", path)
        if place is None or place[1] not in known:
            raise RefusedError(f"{sanitize(path)} belongs to no layer")
        total += count
    return DeclaredModel(
        layers=tuple(model.classes()),
        weights=total,
        config=config,
        constants=model.constants,
        keras_version=version(entries.get("keras_version")),
    )


def _training_state(path: str) -> tuple[str | None, str]:
    """Return the group of the model whose optimizer or metrics a dataset belongs to, and which."""
    found = re.match(r"(.*?)/(optimizer|metrics)/", path)
    return (found[1], found[2]) if found else (None, "")


def _weight_groups(model: LayerDescription, path: str, parent: str) -> list[str]:
    """Return the groups of the layers' weights: Keras numbers them by class, not by name."""
    seen: Counter[str] = Counter()
    groups = []
    for layer in model.inner:
        kind = "Functional" if layer.class_name == "Model" else layer.class_name
        snake = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", snake).lower()
        group = f"{path}/{parent}/{snake}" + (f"_{seen[snake]}" if seen[snake] else "")
        seen[snake] += 1
        groups += [group, *(f"{group}/{part}" for part in _PARTS.get(kind, _PARTS[""]))]
        groups += _weight_groups(layer, group, parent)
    return groups


def _members(data: bytes) -> list[bytes]:
    """Return the members of an archive that is laid out as Keras does it, byte for byte."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if sorted(entry.filename for entry in entries) != sorted(_MEMBERS):
                names = ", ".join(sanitize(entry.filename, limit=30) for entry in entries[:5])
                raise RefusedError(f"the archive contains {names}", expected=", ".join(_MEMBERS))
            _check_layout(data, entries, archive.start_dir)
            return [archive.read(name) for name in _MEMBERS]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise RefusedError(
            f"the archive is corrupt: {sanitize(str(error))}", outcome="model-unreadable"
        ) from error


def _check_layout(data: bytes, entries: list[zipfile.ZipInfo], directory: int) -> None:
    """Refuse what two programs could read differently: gaps, overlaps, contradicting headers."""
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
                f"the member {entry.filename} is compressed, encrypted or not a regular file",
                expected="uncompressed files, as model.save() writes them",
            )
        name, size = entry.filename.encode(), entry.file_size
        header = struct.pack("<LLLHH", entry.CRC, size, size, len(name), 0) + name
        start = position + 14
        flags, method = struct.unpack_from("<HH", data, position + 6)
        if (
            entry.header_offset != position
            or (flags, method) != (0, 0)
            or data[start : start + len(header)] != header
        ):
            raise RefusedError(
                f"the member {entry.filename} has two headers that disagree",
                outcome="model-unreadable",
            )
        position = start + len(header) + size
    length = sum(46 + len(entry.filename) for entry in entries)
    if position != directory or directory + length + 22 != len(data):
        raise RefusedError("the archive has bytes outside its members", outcome="model-unreadable")
