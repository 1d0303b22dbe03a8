"""The command that reinstalls this package, for the remedies of errors."""

from __future__ import annotations

import json
from importlib import metadata

PACKAGE = "mnist-tasks"


def command(extra: str = "") -> str:
    """Return the pip command that repairs this installation, as a phrase for "Run …".

    It installs the optional dependencies `extra`, ``cluster`` or ``gpu``, too.
    """
    extras = f"[{extra}]" if extra else ""
    if _is_editable():
        target = f'-e ".{extras}"' if extras else "-e ."
        return f"`python -m pip install {target}` in the project's folder"
    target = f'"{PACKAGE}{extras}"' if extras else PACKAGE
    return f"`python -m pip install {target}`"


def repair(package: str) -> str:
    """Return the pip command that installs the same version of a package again.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        The package is not installed.
    """
    version = metadata.version(package)
    return f"`python -m pip install --force-reinstall --no-deps {package}=={version}`"


def _is_editable() -> bool:
    """Whether the package runs from its source tree: pip recorded that, or did not install it."""
    try:
        record = metadata.distribution(PACKAGE).read_text("direct_url.json")
        return bool(json.loads(record or "{}").get("dir_info", {}).get("editable"))
    except metadata.PackageNotFoundError:
        return True
    except ValueError:  # not JSON
        return False
