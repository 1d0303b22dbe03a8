"""The static look into an HDF5 file: only what Keras writes, all of it small, nothing elsewhere."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_tasks.vetting.untrusted_text import RefusedError, is_name, shown

if TYPE_CHECKING:
    from mnist_tasks.vetting.limits import Limits

_OBJECTS = 4_000
_DEPTH = 32
_STRINGS = 5_000
# A long list of names is cut into numbered attributes: layer_names0, layer_names1.
_NUMBERED = re.compile(r"(layer_names|weight_names)\d{0,3}")
_SINGLE = frozenset({"keras_version", "backend", "model_config", "training_config", "name"})


@dataclass(kw_only=True)
class Contents:
    """What an HDF5 file holds, as far as it may.

    Attributes
    ----------
    texts
        Each attribute of one string, by the group's path and its name.
    names
        Each attribute that is a list of strings, likewise; numbered parts are joined.
    weights
        How many numbers each data set holds, by its path.
    """

    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    names: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)


def read_h5(data: bytes, *, limits: Limits, optimizer: str) -> Contents:
    """Walk an HDF5 file and hold every object in it to what Keras writes.

    Parameters
    ----------
    optimizer
        The group of the optimizer's own numbers, which may be of any value.

    Raises
    ------
    RefusedError
        Links, filters, foreign storage, odd types, numbers that are not finite, too many objects.
    """
    import h5py

    try:
        # A file image lives in memory: HDF5 opens nothing by path, whatever the file says.
        root = h5py.Group(h5py.h5g.open(h5py.h5f.open_file_image(data), b"/"))
        return _Walk(h5py, len(data), limits, optimizer).run(root.id)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError) as error:
        # HDF5 checks as it reads; what it stumbles over is corrupt or made to be.
        raise RefusedError(f"the HDF5 file is corrupt: {shown(str(error))}") from error


class _Walk:
    def __init__(self, h5py: Any, size: int, limits: Limits, optimizer: str) -> None:
        self.h5py = h5py
        self.size = size
        self.limits = limits
        self.optimizer = optimizer
        self.contents = Contents()
        self.seen: set[int] = set()
        self.stored = 0

    def run(self, root: Any) -> Contents:
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
                    raise RefusedError(f"{shown(child_path)} is a named type")
        return self.contents

    def visit(self, path: str, item: Any) -> None:
        """Refuse a second way to one object: cycles, and weights that count twice."""
        info = self.h5py.h5o.get_info(item)
        if info.addr in self.seen or info.rc != 1:
            raise RefusedError(f"{shown(path)} is linked more than once")
        self.seen.add(info.addr)
        if len(self.seen) > _OBJECTS or path.count("/") > _DEPTH:
            raise RefusedError(f"more than {_OBJECTS:,} objects, or nested past {_DEPTH}")

    def links(self, path: str, group: Any) -> list[bytes]:
        names = list(group)
        for name in names:
            where = f"{path}/{name.decode('ascii', 'backslashreplace')}"
            if not is_name(where[len(path) + 1 :]) or b"/" in name:
                raise RefusedError(f"an object is named '{shown(where)}'")
            if group.links.get_info(name).type != self.h5py.h5l.TYPE_HARD:
                raise RefusedError(
                    f"{shown(where)} is a soft or external link", expected="data in the file itself"
                )
        return names

    def attributes(self, path: str, item: Any) -> None:
        joined: dict[str, dict[str, list[str]]] = {}
        for index in range(self.h5py.h5a.get_num_attrs(item)):
            attribute = self.h5py.h5a.open(item, index=index)
            name = attribute.name.decode("ascii", "backslashreplace")
            listed = _NUMBERED.fullmatch(name)
            if listed is None and name not in _SINGLE:
                raise RefusedError(f"{shown(path) or 'the root'} has an attribute '{shown(name)}'")
            values = self.strings(f"{path}@{name}", item, attribute, single=listed is None)
            if listed is None:
                self.contents.texts[path, name] = values[0]
            else:
                joined.setdefault(listed[1], {})[name] = values
        for name, parts in joined.items():
            # Keras reads the plain attribute where there is one, else 0, 1, 2 ... up to a gap.
            order = (
                [name]
                if len(parts) == 1 and name in parts
                else [f"{name}{number}" for number in range(len(parts))]
            )
            if set(order) != parts.keys():
                raise RefusedError(f"{shown(path)} gives its {name} in parts that don't fit")
            self.contents.names[path, name] = [text for part in order for text in parts[part]]

    def strings(self, where: str, item: Any, attribute: Any, *, single: bool) -> list[str]:
        shape = attribute.shape
        if (single and shape != ()) or (not single and len(shape) != 1):
            raise RefusedError(f"{shown(where)} has the shape {shown(shape)}")
        if not single and shape[0] == 0:
            return []  # an empty list of names is stored as an empty list of numbers
        if not isinstance(attribute.get_type(), self.h5py.h5t.TypeStringID):
            raise RefusedError(f"{shown(where)} is not text")
        if math.prod(shape) > _STRINGS or attribute.get_storage_size() > self.limits.config_bytes:
            raise RefusedError(f"{shown(where)} is too long")
        value = self.h5py.Group(item).attrs[attribute.name.decode()]
        texts = [value] if single else list(value)
        return [text if isinstance(text, str) else text.decode("latin-1") for text in texts]

    def dataset(self, path: str, item: Any) -> None:
        if self.h5py.h5a.get_num_attrs(item):
            raise RefusedError(f"{shown(path)} is a data set with attributes")
        setup = item.get_create_plist()
        if setup.get_layout() != self.h5py.h5d.CONTIGUOUS or setup.get_nfilters():
            raise RefusedError(
                f"{shown(path)} is stored in chunks, compressed or in another file",
                expected="one plain block, as Keras writes it",
            )
        if setup.get_external_count():
            raise RefusedError(f"{shown(path)} is stored in another file")
        kind = item.get_type()
        shape = item.shape
        count = math.prod(shape)
        self.number_type(path, kind, scalar=shape == ())
        stored = item.get_storage_size()
        offset = item.get_offset()
        self.stored += stored
        if stored != count * kind.get_size():
            raise RefusedError(
                f"{shown(path)} declares the shape {shown(shape)} and holds {stored:,} bytes"
            )
        if stored and (offset is None or offset + stored > self.size or self.stored > self.size):
            raise RefusedError(f"{shown(path)} declares more bytes than the file has")
        self.contents.weights[path] = count
        if count and not path.startswith(f"/{self.optimizer}/"):
            self.finite(path, item)

    def number_type(self, path: str, kind: Any, *, scalar: bool) -> None:
        types = self.h5py.h5t
        floats = (types.IEEE_F32LE, types.IEEE_F16LE, types.IEEE_F64LE)
        integers = (types.STD_I64LE, types.STD_I32LE, types.STD_U32LE)
        if any(kind.equal(known) for known in floats):
            return
        # A step counter is one whole number; the optimizer's may have more.
        if any(kind.equal(known) for known in integers) and (
            scalar or path.startswith(f"/{self.optimizer}/")
        ):
            return
        raise RefusedError(
            f"{shown(path)} holds no floating-point numbers", expected="float16, float32 or float64"
        )

    def finite(self, path: str, item: Any) -> None:
        if not np.isfinite(self.h5py.Dataset(item)[()]).all():
            raise RefusedError(f"{shown(path)} holds NaN or infinity", expected="finite weights")
