"""What repairs this installation, and the errors of libraries that are missing or broken."""

from __future__ import annotations

import json
import re
import traceback
from importlib import metadata
from typing import Any

from mnist_tasks.errors import EnvironmentProblemError, printable

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


def broken_library(name: str, *, found: str, is_missing: bool) -> EnvironmentProblemError:
    """Return the error for a library that can't be imported.

    Parameters
    ----------
    found
        Its import's exception.
    is_missing
        Whether it is not installed, rather than damaged.
    """
    remedy = f"Run {command()}."
    if not is_missing:
        try:
            remedy = f"Run {repair(name)}."
        except metadata.PackageNotFoundError:
            remedy = "Run `mnist-tasks doctor`, which says what to fix."
    return EnvironmentProblemError(
        name,
        expected="a library that can be imported",
        found=f"its import failed: {found}",
        remedy=remedy,
        reason="library-broken",
    )


def import_problem(error: ImportError) -> EnvironmentProblemError:
    """Return the error for the library whose import raised an exception."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    module = error.name or frame.f_globals.get("__name__") or "a library"
    return broken_library(
        module.partition(".")[0],
        found=printable(f"{type(error).__name__}: {error}"),
        is_missing=isinstance(error, ModuleNotFoundError) and "." not in module,
    )


def requirement() -> str:
    """Return the requirement that installs the package from where this copy came from.

    That is the name alone for an index, and the address of a folder, file or repository otherwise
    (PEP 610, "Recording the Direct URL Origin of installed distributions").
    """
    origin = _origin() or {}
    url = origin.get("url")
    if not isinstance(url, str) or not re.fullmatch(r"[!#-\[\]-~]+", url):
        return PACKAGE
    repository = origin.get("vcs_info", {})
    prefix = f"{repository['vcs']}+" if "vcs" in repository else ""
    commit = f"@{repository['commit_id']}" if "commit_id" in repository else ""
    return f"{PACKAGE} @ {prefix}{url}{commit}"


def _is_editable() -> bool:
    """Whether the package runs from its source tree: pip recorded that, or did not install it."""
    origin = _origin()
    return origin is None or bool(origin.get("dir_info", {}).get("editable"))


def _origin() -> dict[str, Any] | None:
    """Return what pip recorded of a package that is not from an index; ``None``: not installed."""
    try:
        record = metadata.distribution(PACKAGE).read_text("direct_url.json")
        origin = json.loads(record or "{}")
    except metadata.PackageNotFoundError:
        return None
    except ValueError:  # not JSON
        return {}
    return origin if isinstance(origin, dict) else {}
