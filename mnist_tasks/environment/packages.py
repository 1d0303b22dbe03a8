"""The packages that bring TensorFlow and what else is needed, and whether they are whole.

`tensorflow` and `tensorflow-cpu` write thousands of the same files: the one that is installed last
overwrites the other, `pip check` finds nothing wrong, and to uninstall either breaks both.
"""

from __future__ import annotations

import os
from importlib import metadata
from typing import TYPE_CHECKING

from mnist_tasks import install
from mnist_tasks.environment import requirements
from mnist_tasks.environment.builds import same
from mnist_tasks.environment.diagnosis import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_tasks.environment.builds import Build
    from mnist_tasks.environment.diagnosis import Status


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
        remedy=f"Run {install.command()}." if wrong else None,
        facts={"versions": versions, "needed": needed},
    )


def _judge(
    builds: Sequence[Build], module: str | None, specifier: str
) -> tuple[Status, str, str | None]:
    if not builds and module:
        return "ok", f"none that pip knows; the module is {module}", None
    if not builds:
        return "fault", "TensorFlow is not installed", f"Run {install.command()}."
    matching = f'`python -m pip install "tensorflow{specifier}"`'
    if len(builds) > 1:
        shared = set.intersection(*(set(build.files) for build in builds))
        both = " and ".join(map(str, builds))
        names = " ".join(build.name for build in builds)
        return (
            "fault",
            f"{both} at once: they share {len(shared):,} files and break each other",
            f"Run `python -m pip uninstall -y {names}`, then {matching}.",
        )
    (build,) = builds
    if not requirements.satisfies(build.version, specifier):
        return "warning", f"{build}; supported is {specifier}", f"Run {matching}."
    return _judge_one(build, module)


def _judge_one(build: Build, module: str | None) -> tuple[Status, str, str | None]:
    if build.missing or build.changed:
        again = f"--force-reinstall --no-deps {build.name}=={build.version}"
        status: Status = "fault" if build.missing else "warning"
        return status, _holes(build), f"Run `python -m pip install {again}`."
    whole = f"{build}, all {len(build.files):,} files there"
    if module and not same(os.path.dirname(os.path.dirname(module)), build.root):  # noqa: PTH120
        return (
            "warning",
            f"{whole}, but another module `tensorflow` comes before it: {module}",
            "Move that away, or take its folder from PYTHONPATH.",
        )
    return "ok", whole, None


def _holes(build: Build) -> str:
    whole = f"{build}: of its {len(build.files):,} files"
    return f"{whole} {build.missing:,} are missing, {build.changed:,} have another size"
