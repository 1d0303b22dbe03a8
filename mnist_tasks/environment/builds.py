"""The installed distributions that are the module `tensorflow`, and what became of their files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib import machinery, metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = "tensorflow/"
MARK = f"{FOLDER}__init__.py"


@dataclass(frozen=True, kw_only=True)
class Build:
    """An installed distribution whose files are the module ``tensorflow``.

    Attributes
    ----------
    files
        Those in the folder ``tensorflow``, by their paths below `root`, with the sizes that they
        had when they were installed.
    missing, changed
        How many are not there, and how many have another size.
    """

    name: str
    version: str
    root: str
    files: dict[str, int]
    missing: int
    changed: int

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def installed() -> tuple[Build, ...]:
    """Return the distributions whose folder ``tensorflow`` is the one that is imported."""
    found: dict[str, Build] = {}
    for distribution in metadata.distributions():
        record = distribution.read_text("RECORD") or ""
        if f"\n{MARK}," not in f"\n{record}":
            continue
        name = re.sub(r"[-_.]+", "-", _field(distribution, "Name")).lower()
        if not name or name in found:
            continue
        root = str(distribution.locate_file(""))
        files = dict(_files(record))
        sizes = [_size(os.path.join(root, path)) for path in files]  # noqa: PTH118 - 22,000 of them
        found[name] = Build(
            name=name,
            version=_field(distribution, "Version"),
            root=root,
            files=files,
            missing=sizes.count(None),
            changed=sum(
                size not in (None, wanted)
                for size, wanted in zip(sizes, files.values(), strict=True)
            ),
        )
    # One in a folder further down the path is never imported, and so breaks nothing.
    first = next(iter(found.values()), None)
    return tuple(
        build for _, build in sorted(found.items()) if first and same(build.root, first.root)
    )


def module_path() -> str | None:
    """Return where a new process would find TensorFlow, without importing it."""
    spec = machinery.PathFinder.find_spec("tensorflow")
    return spec.origin if spec else None


def _field(distribution: metadata.Distribution, name: str) -> str:
    """Read a field of a package's metadata; what an interrupted installation left has none."""
    text = distribution.read_text("METADATA") or ""
    match = re.search(rf"^{name}: *(\S+)", text, re.MULTILINE)
    return match[1] if match else ""


def _files(record: str) -> Iterator[tuple[str, int]]:
    """Read the lines ``path,hash,size``; what was compiled later has no size."""
    for line in record.splitlines():
        if line.startswith(FOLDER):
            path, _, size = line.rsplit(",", 2)
            if size.isdigit():
                yield path, int(size)


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return None


def same(path: str, other: str) -> bool:
    """Tell whether two folders have one folder ``tensorflow``, be it through links."""
    return os.path.realpath(os.path.join(path, FOLDER)) == os.path.realpath(  # noqa: PTH118
        os.path.join(other, FOLDER)  # noqa: PTH118
    )
