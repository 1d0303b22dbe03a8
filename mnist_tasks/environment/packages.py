"""Whether Python and the installed packages are the versions that this package requires."""

from __future__ import annotations

import platform
import sys
from functools import partial
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from mnist_tasks import install
from mnist_tasks.environment.diagnosis import Finding


def python() -> Finding:
    """Report the running Python, and whether it is a supported version."""
    version, supported = platform.python_version(), supported_python()
    is_virtual = sys.prefix != sys.base_prefix
    found = f"{version}, {'virtual environment' if is_virtual else 'no virtual environment'}"
    facts = {
        "version": version,
        "executable": sys.executable,
        "virtual_environment": is_virtual,
        "supported": str(supported),
    }
    make = partial(Finding, topic="machine", name="Python", details=(sys.executable,), facts=facts)
    if is_allowed(version, supported):
        return make(found=found)
    return make(
        status="error",
        found=f"{found}; supported: {supported}",
        remedy="Create an environment with a supported Python, and install there.",
    )


def dependencies() -> Finding:
    """Report whether the required packages other than TensorFlow are installed."""
    needed = requirements()
    needed.pop("tensorflow", None)
    versions = {name: _version(name) for name in needed}
    missing = [f"{name} is missing" for name, version in versions.items() if version is None]
    wrong = [
        f"{name} {version} is not {needed[name]}"
        for name, version in versions.items()
        if version is not None and not is_allowed(version, needed[name])
    ]
    found = f"{len(versions) - len(missing)} of {len(versions)} installed"
    facts = {"versions": versions, "needed": {name: str(each) for name, each in needed.items()}}
    make = partial(Finding, topic="machine", name="dependencies", facts=facts)
    if not missing and not wrong:
        return make(found=found)
    return make(
        status="error" if missing else "warning",
        found=f"{found}: {'; '.join(missing + wrong)}",
        remedy=f"Run {install.command()}.",
    )


def supported_python() -> SpecifierSet:
    """Return the supported Python versions; any, if the package is not installed."""
    try:
        return SpecifierSet(metadata.metadata(install.PACKAGE)["Requires-Python"] or "")
    except metadata.PackageNotFoundError:
        return SpecifierSet()


def requirements() -> dict[str, SpecifierSet]:
    """Return the versions of the packages that are required here, without those of extras."""
    try:
        needed = map(Requirement, metadata.requires(install.PACKAGE) or ())
        return {
            each.name: each.specifier
            for each in needed
            if each.marker is None or each.marker.evaluate({"extra": ""})
        }
    except metadata.PackageNotFoundError:
        return {}


def is_allowed(version: str, specifier: SpecifierSet) -> bool:
    """Whether an installed version, which may be a pre-release, meets a specifier."""
    try:
        return specifier.contains(Version(version.rstrip("+")), prereleases=True)
    except InvalidVersion:
        return not specifier


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
