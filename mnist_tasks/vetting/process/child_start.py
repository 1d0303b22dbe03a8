"""Start of the vetting process: import its libraries, and report the one that is missing or broken.

This module needs none of them.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

_CHILD = "mnist_tasks.vetting.child_main"
# What the static check needs, each by the name under which it is installed.
_LIBRARIES = ("msgspec", "numpy", "h5py")


def main() -> None:
    """Run the vetting process, which never returns."""
    output = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no message
    for name in (*_LIBRARIES, _CHILD):
        try:
            import_module(name)
        except Exception as error:
            described = describe(name.partition(".")[0], error)
            message = json.dumps({"type": "broken-library", **described})
            os.write(output, message.encode() + b"\n")
            os._exit(0)
    os.dup2(output, 1)
    os.close(output)
    sys.modules[_CHILD].main()


def describe(name: str, error: Exception) -> dict[str, Any]:
    """Return the parts of the message about a library that can't be imported."""
    # A module that is missing inside of a package means that the package is damaged.
    missing = isinstance(error, ModuleNotFoundError) and "." not in (error.name or ".")
    return {"name": name, "found": f"{type(error).__name__}: {error}", "missing": missing}
