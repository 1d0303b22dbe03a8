"""The page: one HTML file that loads nothing, and runs only the script in it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.demo.examples import Group
from mnist_tasks.reporting import templating
from mnist_tasks.version import VERSION

FOLDER = Path(__file__).parent
SCRIPTS = ("network.js", "filters.js", "preparation.js", "page.js")


def render(
    model: dict[str, Any], info: DatasetInfo, *, facts: str, examples: Sequence[Group] = ()
) -> str:
    """Return the page.

    Parameters
    ----------
    model
        As `model_data` returns it.
    facts
        What to say about the model.
    """
    environment = templating.environment(FOLDER)
    script, style = _text(*SCRIPTS), _text("style.css")
    draws = model["draws"]
    return environment.get_template("page.html.jinja").render(
        heading="Draw a digit" if draws else f"Try {info.title}",
        lead=(
            "The network in this page reads it while you draw."
            if draws
            else f"The network in this page tells {len(info.classes)} classes of images apart. "
            "Choose one below, or a picture of your own."
        ),
        title=info.title,
        draws=draws,
        named=any(len(name) > 2 for name in info.classes),
        image=info.image_shape,
        examples=examples,
        facts=facts,
        model=model,
        script=script,
        style=style,
        hashes={"script": _source(script), "style": _source(style)},
        version=VERSION,
    )


def _text(*names: str) -> Markup:
    """Return files of this package, one after another."""
    return Markup("\n").join(
        Markup((FOLDER / name).read_text(encoding="utf-8"))  # noqa: S704
        for name in names
    )


def _source(text: str) -> str:
    """Return the hash of a script or a style, as a content security policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
