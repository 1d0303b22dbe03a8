"""The environment of templates in which every text is escaped, and none is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from mnist_tasks.errors import printable

LONGEST_TEXT = 4_000  # characters of a text that are shown


def environment(folder: Path) -> jinja2.Environment:
    """Return the environment of a folder of templates."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=without_controls,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def without_controls(value: Any) -> Any:
    """Remove control characters from a text, which jinja then escapes."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value, limit=LONGEST_TEXT)
    return value
