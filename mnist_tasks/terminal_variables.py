"""What environment variables say about the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping

SMALLEST, LARGEST = 40, 10_000  # columns, of which an error needs 40; lines can be fewer


def odd_sizes(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the ``COLUMNS`` and ``LINES`` that are no size of a terminal.

    Rich prints nothing in 0 columns, and fills the memory in a billion.
    """
    smallest = {"COLUMNS": SMALLEST, "LINES": 1}
    return {
        name: environment[name]
        for name, least in smallest.items()
        if name in environment and not _is_size(environment[name], least)
    }


def is_in_notebook(environment: Mapping[str, str]) -> bool:
    """Whether this process or a parent is a Jupyter kernel, by the variables that it sets."""
    # The second is that of ipykernel, also where no Jupyter server started it.
    return "JPY_PARENT_PID" in environment or "inline" in environment.get("MPLBACKEND", "")


def _is_size(text: str, least: int) -> bool:
    return re.fullmatch("[0-9]{1,5}", text) is not None and least <= int(text) <= LARGEST
