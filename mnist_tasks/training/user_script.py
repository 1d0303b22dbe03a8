"""The user's own script or notebook, from which a training was started."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from mnist_tasks import errors
from mnist_tasks.code_records import Script
from mnist_tasks.foreground import command_line

LARGEST = 200_000  # characters: the record keeps the text
NOTEBOOK = "notebook"
# Where Jupyter and VS Code say which notebook a kernel belongs to.
_JUPYTER, _VS_CODE = "JPY_SESSION_NAME", "__vsc_ipynb_file__"


def find() -> Script | None:
    """Return the script that this process runs, or the cells of its notebook so far.

    ``None`` in an interpreter, whose input Python does not keep.
    """
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    cells = getattr(main, "In", None)  # IPython's
    if isinstance(cells, list):
        path = getattr(main, _VS_CODE, None) or os.environ.get(_JUPYTER) or ""
        return _script(path, "\n\n".join(map(str, cells)).strip().encode())
    try:
        return _script(str(file), Path(str(file)).read_bytes()) if file else None
    except OSError:  # it was deleted, or is in an archive
        return None


def name(script: Script | None) -> str:
    """Return the name of a script in tables."""
    return Path(script.path).name or NOTEBOOK if script else "Python"


def command(script: Script | None) -> str:
    """Return the command line that repeats a script, without secrets; empty for a notebook."""
    main = sys.modules.get("__main__")
    if script is None or getattr(main, "In", None) is not None:
        return ""
    spec = getattr(main, "__spec__", None)  # only of a module: python -m package.module
    started = ["-m", spec.name.removesuffix(".__main__")] if spec else [script.path]
    return command_line(["python", *started, *map(errors.redact, sys.argv[1:])])


def _script(path: str, content: bytes) -> Script:
    text = content.decode(errors="replace")
    with_folder = Path(path).absolute()
    if path and with_folder.is_relative_to(Path.cwd()):
        path = str(with_folder.relative_to(Path.cwd()))
    return Script(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        text=text if len(text) <= LARGEST else "",
    )
