"""The folders from which the vetting process imports its libraries: those of this process."""

from __future__ import annotations

import contextlib
import os
import site
import sys
from pathlib import Path


def import_path() -> list[str]:
    """Return the absolute, existing entries of ``sys.path``.

    The current folder and that of the running script are left out, unless PYTHONPATH names them: a
    model may lie there beside a ``keras.py`` from the same source.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    left_out = {os.path.realpath(Path(script).parent)} if script else set()
    with contextlib.suppress(OSError):  # the current folder was deleted
        left_out.add(os.path.realpath(os.curdir))
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [
        entry
        for entry in sys.path
        if Path(entry).is_absolute()
        and Path(entry).exists()
        and (entry in named or os.path.realpath(entry) not in left_out)
    ]


def user_sites() -> list[str]:
    """Return the user's folder of packages, if this process uses it.

    Its .pth files may install import hooks, as those of editable installations do.
    """
    folder = site.getusersitepackages()
    return [folder] if site.ENABLE_USER_SITE and folder in sys.path else []
