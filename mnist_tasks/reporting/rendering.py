"""How a template becomes a page: what it can use, and how every text in it is escaped."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from mnist_tasks.predicting import pictures
from mnist_tasks.reporting import (
    class_tables,
    clause_text,
    formatting,
    gallery,
    looks_text,
    run_summary,
    run_text,
    templating,
)
from mnist_tasks.reporting.figures import images, run_curves
from mnist_tasks.reporting.statuses import STATUSES
from mnist_tasks.version import VERSION

TEMPLATES = Path(__file__).parent / "templates"
# In escaped text: 1e-05, an interval, a bound.
_UNBROKEN = re.compile(r"\b\d[\d.]*(?:e-\d+\b|\u2013\d[\d.]*%)|&[gl]t; [\d.,]+%?")


def render(template: str, **context: Any) -> str:
    """Return a page of one of the templates."""
    # The style sheet is the package's own, and no text from a record.
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704
    return _environment().get_template(template).render(style=style, version=VERSION, **context)


@cache
def _environment() -> jinja2.Environment:
    environment = templating.environment(TEMPLATES)
    environment.filters |= {
        "commands": _commands,
        "count": formatting.count,
        "date_time": formatting.date_time,
        "details": clause_text.details,
        "level": formatting.level,
        "looks": looks_text.sentences,
        "loss": formatting.loss,
        "percent": formatting.percent,
        "percent_range": formatting.percent_range,
        "seconds": formatting.seconds,
        "unbroken": _unbroken,
        "lines": _lines,
        "jpeg": images.jpeg,
        "photo": images.photo,
        "picture": pictures.name,
        "probability": formatting.probability,
        "shape": formatting.shape,
        "speed": formatting.speed,
    }
    environment.globals |= {
        "classes": class_tables,
        "per_sheet": gallery.PER_SHEET,
        "series": run_curves.style,
        "statuses": STATUSES,
        "summary": run_summary,
        "text": run_text,
    }
    return environment


def _commands(text: str) -> Markup:
    """Return text with what is between backticks as code."""
    shown = str(escape(templating.without_controls(text)))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", shown))  # noqa: S704 - as in `_unbroken`


def _unbroken(text: str) -> Markup:
    """Return text in which no line ends inside a number, an interval or a bound."""
    shown = str(escape(templating.without_controls(text)))
    marked = _UNBROKEN.sub(r'<span class="number">\g<0></span>', shown)
    return Markup(marked)  # noqa: S704 - it was escaped before


def _lines(text: str) -> Markup:
    """Return text with its line ends, which `templating` would replace."""
    return Markup("\n").join(
        "".join(each if each.isprintable() else " " for each in line)
        for line in text.expandtabs(4).splitlines()
    )
