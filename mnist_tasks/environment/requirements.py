"""What the package says that it needs, from its own metadata, so that it is said in one place."""

from __future__ import annotations

import re
from importlib import metadata

PACKAGE = "mnist-tasks"
TENSORFLOW = "tensorflow"


def python() -> str:
    """Return the Python versions that are supported, such as ``<3.14,>=3.11``."""
    try:
        return metadata.metadata(PACKAGE)["Requires-Python"]
    except metadata.PackageNotFoundError:  # run from its folder, without an installation
        return ""


def packages() -> dict[str, str]:
    """Return what is always needed: each name with its specifier, such as ``<2.22,>=2.21``."""
    try:
        lines = metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return {}
    needs = (re.match(r"([\w.-]+)\s*\(?([^;)]*)", line) for line in lines if "extra" not in line)
    return {need[1]: need[2].strip() for need in needs if need}


def satisfies(version: str, specifier: str) -> bool:
    """Tell whether a version is in a range of ``>=`` and ``<``, which are all that we use."""
    for operator, bound in re.findall(r"(>=|<)\s*([\d.]+)", specifier):
        if (_release(version) < _release(bound)) != (operator == "<"):
            return False
    return True


def _release(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(number) for number in match[0].split(".")] if match else []
    return tuple(numbers + [0] * (4 - len(numbers)))
