"""The installed packages that contain the module `tensorflow`, and whether they are intact.

`tensorflow` and `tensorflow-cpu` contain thousands of the same files: the one installed last
overwrites the other, `pip check` finds nothing wrong, and uninstalling either breaks both.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import machinery, metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from mnist_tasks import install
from mnist_tasks.environment import packages
from mnist_tasks.environment.diagnosis import Finding

FOLDER = "tensorflow/"
MARKER = f"{FOLDER}__init__.py"


@dataclass(frozen=True, kw_only=True)
class Build:
    """An installed package that contains TensorFlow.

    Attributes
    ----------
    files
        The files in the folder ``tensorflow`` by their paths below `root`, with their sizes when
        they were installed.
    missing, changed
        How many files do not exist, and how many have another size.
    """

    name: str
    version: str
    root: str
    files: dict[str, int]
    missing: int
    changed: int

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def damage(self) -> str:
        """The number of damaged files, in words."""
        return (
            f"{self}: of {len(self.files):,} files, {self.missing:,} are missing and "
            f"{self.changed:,} have another size"
        )


def installed() -> tuple[Build, ...]:
    """Return the packages whose folder ``tensorflow`` is the one that Python imports."""
    found: dict[str, Build] = {}
    for distribution in metadata.distributions():
        record = distribution.read_text("RECORD") or ""
        if f"\n{MARKER}," not in f"\n{record}":
            continue
        # What an interrupted installation leaves behind has no metadata.
        name = canonicalize_name(distribution.metadata["Name"] or "")
        if not name or name in found:
            continue
        root = str(distribution.locate_file(""))
        files = _files(record)
        sizes = {path: _size(os.path.join(root, path)) for path in files}  # noqa: PTH118 - 22,000
        missing = sum(size is None for size in sizes.values())
        found[name] = Build(
            name=name,
            version=distribution.metadata["Version"] or "",
            root=root,
            files=files,
            missing=missing,
            changed=sum(sizes[path] != size for path, size in files.items()) - missing,
        )
    # One in a folder further down the path is never imported, so it does no harm.
    first = next(iter(found.values()), None)
    return tuple(
        build for _, build in sorted(found.items()) if first and _same(build.root, first.root)
    )


def finding(builds: Sequence[Build], module: str | None) -> Finding:
    """Report the package that TensorFlow comes from; two are an error, and so are missing files.

    `module` is the path of the module that Python would import.
    """
    specifier = packages.requirements().get("tensorflow", SpecifierSet())
    fields = ("name", "version", "missing", "changed")
    listed = [
        {name: getattr(build, name) for name in fields} | {"files": len(build.files)}
        for build in builds
    ]
    facts = {"installed": listed, "module": module, "supported": str(specifier)}
    make = partial(Finding, topic="TensorFlow", name="packages", facts=facts)
    if not builds and module:
        return make(found=f"none that pip installed; the module is {module}")
    if not builds:
        remedy = f"Run {install.command()}."
        return make(status="error", found="TensorFlow is not installed", remedy=remedy)
    supported = f'`python -m pip install "tensorflow{specifier}"`'
    if len(builds) > 1:
        shared = set.intersection(*(set(build.files) for build in builds))
        names = " ".join(build.name for build in builds)
        return make(
            status="error",
            found=f"{' and '.join(map(str, builds))} are installed together: they share "
            f"{len(shared):,} files and break each other",
            remedy=f"Run `python -m pip uninstall -y {names}`, then {supported}.",
            details=tuple(build.damage for build in builds),
        )
    (build,) = builds
    found = f"{build}, all {len(build.files):,} files intact"
    if build.missing or build.changed:
        options = f"--force-reinstall --no-deps {build.name}=={build.version}"
        found, remedy = build.damage, f"Run `python -m pip install {options}`."
    elif not packages.is_allowed(build.version, specifier):
        found, remedy = f"{build}; supported: {specifier}", f"Run {supported}."
    elif module and not _same(Path(module).parents[1], build.root):
        found += f", but another module `tensorflow` is found first: {module}"
        remedy = "Move it away, or remove its folder from PYTHONPATH."
    else:
        return make(found=found)
    return make(status="error" if build.missing else "warning", found=found, remedy=remedy)


def module_path() -> str | None:
    """Return where a new process would find TensorFlow, without importing it."""
    spec = machinery.PathFinder.find_spec("tensorflow")
    return spec.origin if spec else None


def _same(path: str | Path, other: str) -> bool:
    """Whether two folders contain the same folder ``tensorflow``, possibly through links."""
    return Path(path, FOLDER).resolve() == Path(other, FOLDER).resolve()


def _files(record: str) -> dict[str, int]:
    """Parse the lines ``path,hash,size``; files compiled after the installation have no size."""
    lines = (line.rsplit(",", 2) for line in record.splitlines() if line.startswith(FOLDER))
    return {path: int(size) for path, _, size in lines if size.isdigit()}


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return None
