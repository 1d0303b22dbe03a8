"""Check an HDF5 file: only what Keras writes, of a limited size, all of it in the file itself."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.static import h5_chunks
from mnist_tasks.vetting.untrusted_text import RefusedError, is_name, sanitize

_MOST_OBJECTS = 4_000
_MOST_LEVELS = 32
_MOST_STRINGS = 5_000
# A float32 weight, and three values of its optimizer.
_BYTES_PER_PARAMETER = 16
# Keras splits a long list of names into numbered attributes: layer_names0, layer_names1.
_LISTS = re.compile(r"(layer_names|weight_names)\d{0,3}")
_SINGLE = frozenset({"keras_version", "backend", "model_config", "training_config", "name"})


@dataclass(kw_only=True)
class H5Content:
    """What an HDF5 file contains."""

    # Attributes of one string, and those that are lists, by the path of their group and their name.
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    names: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    # How many numbers each dataset has, by its path.
    weights: dict[str, int] = field(default_factory=dict)


def read_h5(data: bytes, *, limits: Limits, optimizer: str, with_model: bool = False) -> H5Content:
    """Walk an HDF5 file and check every object in it.

    Refuses links, filters, external storage, types and attributes that Keras doesn't write, too
    many objects, and numbers that are not finite, except in the group `optimizer`; and `with_model`
    a file that has no description of a model.
    """
    import h5py

    try:
        # HDF5 reads the file from memory, and opens nothing by path whatever the file contains.
        root = h5py.Group(h5py.h5g.open(h5py.h5f.open_file_image(data), b"/"))
        if with_model and not h5py.h5a.exists(root.id, b"model_config"):
            raise _no_model(set(root) | set(root.attrs))
        return _Walker(h5py, len(data), limits, optimizer).walk(root.id)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError) as error:
        # HDF5 checks as it reads: what it can't read is corrupt, perhaps on purpose.
        raise RefusedError(
            f"the HDF5 file is corrupt: {sanitize(str(error))}", outcome="model-unreadable"
        ) from error


def _no_model(names: set[str]) -> RefusedError:
    """Return the error for a file without a model, which has these groups and attributes."""
    if names & {"layer_names", "layers", "_layer_checkpoint_dependencies", "nb_layers"}:
        return RefusedError(
            "it contains the weights of a model, but not the model",
            expected="a complete model, as model.save() writes it",
            outcome="model-unreadable",
            remedy="Build the model in Python, load these weights with model.load_weights(), "
            "and save it with model.save('model.keras').",
        )
    return RefusedError(
        "it is an HDF5 file without a Keras model",
        expected="a complete model, as model.save() writes it",
        outcome="model-unreadable",
    )


class _Walker:
    def __init__(self, h5py: Any, size: int, limits: Limits, optimizer: str) -> None:
        self.h5py = h5py
        self.size = size
        self.limits = limits
        self.optimizer = f"/{optimizer}/"
        self.content = H5Content()
        self.seen: set[int] = set()
        self.stored = 0
        self.unpacked = 0

    def walk(self, root: Any) -> H5Content:
        pending = [("", root)]
        self.visit("the root", root)
        while pending:
            path, group = pending.pop()
            self.attributes(path, group)
            for name in self.links(path, group):
                child = self.h5py.h5o.open(group, name)
                child_path = f"{path}/{name.decode()}"
                self.visit(child_path, child)
                if isinstance(child, self.h5py.h5g.GroupID):
                    pending.append((child_path, child))
                elif isinstance(child, self.h5py.h5d.DatasetID):
                    self.dataset(child_path, child)
                else:
                    raise RefusedError(f"{sanitize(child_path)} is a named datatype")
        return self.content

    def visit(self, path: str, item: Any) -> None:
        """Refuse a second path to an object: cycles, and weights that would count twice."""
        info = self.h5py.h5o.get_info(item)
        if info.addr in self.seen or info.rc != 1:
            raise RefusedError(f"{sanitize(path)} is linked more than once")
        self.seen.add(info.addr)
        if len(self.seen) > _MOST_OBJECTS or path.count("/") > _MOST_LEVELS:
            raise RefusedError(
                f"more than {_MOST_OBJECTS:,} objects, or nested more than {_MOST_LEVELS} deep"
            )

    def links(self, path: str, group: Any) -> list[bytes]:
        names = list(group)
        for name in names:
            text = name.decode("ascii", "backslashreplace")
            where = sanitize(f"{path}/{text}")
            if not is_name(text) or b"/" in name:
                raise RefusedError(f"an object is named '{where}'")
            if group.links.get_info(name).type != self.h5py.h5l.TYPE_HARD:
                raise RefusedError(
                    f"{where} is a soft or external link, which can lead to other files",
                    expected="data in the file itself",
                    outcome="model-can-run-code",
                )
        return names

    def attributes(self, path: str, item: Any) -> None:
        lists: dict[str, dict[str, list[str]]] = {}
        for index in range(self.h5py.h5a.get_num_attrs(item)):
            attribute = self.h5py.h5a.open(item, index=index)
            name = attribute.name.decode("ascii", "backslashreplace")
            listed = _LISTS.fullmatch(name)
            if listed is None and name not in _SINGLE:
                where = sanitize(path) or "the root"
                raise RefusedError(f"{where} has the unsupported attribute '{sanitize(name)}'")
            values = self.strings(f"{path}@{name}", item, attribute, single=listed is None)
            if listed is None:
                self.content.texts[path, name] = values[0]
            else:
                lists.setdefault(listed[1], {})[name] = values
        for name, parts in lists.items():
            # Keras reads the plain attribute if there is one, otherwise 0, 1, 2 ... up to a gap.
            plain = len(parts) == 1 and name in parts
            order = [name] if plain else [f"{name}{number}" for number in range(len(parts))]
            if set(order) != parts.keys():
                raise RefusedError(f"{sanitize(path)} has an invalid numbering of its {name}")
            self.content.names[path, name] = [text for part in order for text in parts[part]]

    def strings(self, where: str, item: Any, attribute: Any, *, single: bool) -> list[str]:
        shape = attribute.shape
        if (single and shape != ()) or (not single and len(shape) != 1):
            raise RefusedError(f"{sanitize(where)} has the shape {sanitize(shape)}")
        if not single and shape[0] == 0:
            return []  # an empty list of names is stored as an empty list of numbers
        if not isinstance(attribute.get_type(), self.h5py.h5t.TypeStringID):
            raise RefusedError(f"{sanitize(where)} is not text")
        size = attribute.get_storage_size()
        if math.prod(shape) > _MOST_STRINGS or size > self.limits.config_bytes:
            raise RefusedError(f"{sanitize(where)} is too long")
        value = self.h5py.Group(item).attrs[attribute.name.decode()]
        texts = [value] if single else list(value)
        return [text if isinstance(text, str) else text.decode("latin-1") for text in texts]

    def dataset(self, path: str, item: Any) -> None:
        where = sanitize(path)
        if self.h5py.h5a.get_num_attrs(item):
            raise RefusedError(f"{where} is a dataset with attributes")
        setup = item.get_create_plist()
        layout = setup.get_layout()
        if layout == self.h5py.h5d.VIRTUAL or setup.get_external_count():
            raise RefusedError(
                f"{where} is stored in another file",
                expected="data in the file itself",
                outcome="model-can-run-code",
            )
        kind, shape = item.get_type(), item.shape
        count = math.prod(shape)
        if not self.is_allowed(kind, path, scalar=shape == ()):
            raise RefusedError(
                f"{where} does not contain floating-point numbers",
                expected="float16, float32 or float64",
            )
        stored, offset = item.get_storage_size(), item.get_offset()
        self.stored += stored
        size = count * kind.get_size()
        in_chunks = layout == self.h5py.h5d.CHUNKED
        if in_chunks:
            most = self.limits.parameters * _BYTES_PER_PARAMETER
            self.unpacked += h5_chunks.check(item, where, most=most - self.unpacked)
            offset = 0
        elif stored != size:
            raise RefusedError(
                f"{where} declares the shape {sanitize(shape)} but contains {stored:,} bytes",
                outcome="model-unreadable",
            )
        if stored and (offset is None or offset + stored > self.size or self.stored > self.size):
            raise RefusedError(
                f"{where} declares more bytes than the file has", outcome="model-unreadable"
            )
        self.content.weights[path] = count
        is_weight = not path.startswith(self.optimizer)
        if count and is_weight and not np.isfinite(self.h5py.Dataset(item)[()]).all():
            raise RefusedError(
                f"{where} contains NaN or infinity",
                expected="finite weights",
                outcome="model-unreadable",
            )

    def is_allowed(self, kind: Any, path: str, *, scalar: bool) -> bool:
        types = self.h5py.h5t
        allowed = [types.IEEE_F32LE, types.IEEE_F16LE, types.IEEE_F64LE]
        # A step counter is one integer; the optimizer may have more.
        if scalar or path.startswith(self.optimizer):
            allowed += [types.STD_I64LE, types.STD_I32LE, types.STD_U32LE]
        return any(kind.equal(known) for known in allowed)
