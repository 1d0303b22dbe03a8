"""The packages that bring TensorFlow, and whether they are whole.

`tensorflow` and `tensorflow-cpu` write thousands of the same files: the one that is installed last
overwrites the other, `pip check` finds nothing wrong, and to uninstall either breaks both.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib import metadata, util
from typing import TYPE_CHECKING

from mnist_tasks.environment import requirements
from mnist_tasks.environment.diagnosis import REINSTALL, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mnist_tasks.environment.diagnosis import Status

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


def builds() -> tuple[Build, ...]:
    """Return the distributions whose folder ``tensorflow`` is the one that is imported."""
    found: dict[str, Build] = {}
    for distribution in metadata.distributions():
        record = distribution.read_text("RECORD") or ""
        name = re.sub(r"[-_.]+", "-", distribution.name).lower()
        if f"\n{MARK}," not in f"\n{record}" or name in found:
            continue
        root = str(distribution.locate_file(""))
        files = dict(_files(record))
        sizes = [_size(os.path.join(root, path)) for path in files]  # noqa: PTH118 - 22,000 of them
        found[name] = Build(
            name=name,
            version=distribution.version,
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
    return tuple(build for build in found.values() if first and _same(build.root, first.root))


def module_path() -> str | None:
    """Return where ``import tensorflow`` would find it, without importing it."""
    try:
        spec = util.find_spec("tensorflow")
    except (ImportError, ValueError):
        return None
    return spec.origin if spec else None


def tensorflow(builds: Sequence[Build], module: str | None) -> Finding:
    """Say which package brings TensorFlow; two are a fault, and so is one with holes."""
    specifier = requirements.packages().get(requirements.TENSORFLOW, "")
    facts = {
        "installed": [
            {
                "name": build.name,
                "version": build.version,
                "files": len(build.files),
                "missing": build.missing,
                "changed": build.changed,
            }
            for build in builds
        ],
        "module": module,
        "supported": specifier,
    }
    status, found, remedy = _judge(builds, module, specifier)
    return Finding(
        topic="TensorFlow",
        name="packages",
        status=status,
        found=found,
        remedy=remedy,
        details=tuple(_holes(build) for build in builds if len(builds) > 1),
        facts=facts,
    )


def dependencies() -> Finding:
    """Say whether the other packages that are needed are installed, in versions that will do."""
    needed = requirements.packages()
    needed.pop(requirements.TENSORFLOW, None)
    versions: dict[str, str | None] = {}
    for name in needed:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    missing = [name for name, version in versions.items() if version is None]
    unfit = [
        f"{name} {version} is not {needed[name]}"
        for name, version in versions.items()
        if version is not None and not requirements.satisfies(version, needed[name])
    ]
    found = f"{len(versions) - len(missing)} of {len(versions)} installed"
    wrong = "; ".join([*(f"{name} is missing" for name in missing), *unfit])
    return Finding(
        topic="machine",
        name="dependencies",
        status="fault" if missing else "warning" if unfit else "ok",
        found=f"{found}: {wrong}" if wrong else found,
        remedy=REINSTALL if wrong else None,
        facts={"versions": versions, "needed": needed},
    )


def _judge(
    builds: Sequence[Build], module: str | None, specifier: str
) -> tuple[Status, str, str | None]:
    if not builds and module:
        return "ok", f"none that pip knows; the module is {module}", None
    if not builds:
        return "fault", "TensorFlow is not installed", REINSTALL
    install = f'`python -m pip install "tensorflow{specifier}"`'
    if len(builds) > 1:
        shared = set.intersection(*(set(build.files) for build in builds))
        both = " and ".join(map(str, builds))
        names = " ".join(build.name for build in builds)
        return (
            "fault",
            f"{both} at once: they share {len(shared):,} files and break each other",
            f"Run `python -m pip uninstall -y {names}`, then {install}.",
        )
    (build,) = builds
    if not requirements.satisfies(build.version, specifier):
        return "warning", f"{build}; supported is {specifier}", f"Run {install}."
    return _judge_one(build, module)


def _judge_one(build: Build, module: str | None) -> tuple[Status, str, str | None]:
    if build.missing or build.changed:
        again = f"--force-reinstall --no-deps {build.name}=={build.version}"
        status: Status = "fault" if build.missing else "warning"
        return status, _holes(build), f"Run `python -m pip install {again}`."
    whole = f"{build}, all {len(build.files):,} files there"
    if module and not _same(os.path.dirname(os.path.dirname(module)), build.root):  # noqa: PTH120
        return (
            "warning",
            f"{whole}, but another module `tensorflow` comes before it: {module}",
            "Move that away, or take its folder from PYTHONPATH.",
        )
    return "ok", whole, None


def _holes(build: Build) -> str:
    whole = f"{build}: of its {len(build.files):,} files"
    return f"{whole} {build.missing:,} are missing, {build.changed:,} have another size"


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


def _same(path: str, other: str) -> bool:
    """Tell whether two folders have one folder ``tensorflow``, be it through links."""
    return os.path.realpath(os.path.join(path, FOLDER)) == os.path.realpath(  # noqa: PTH118
        os.path.join(other, FOLDER)  # noqa: PTH118
    )
