"""The commands of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator


def names(app: typer.Typer) -> list[str]:
    """Return the words that name each command, such as ``runs list``."""
    return [name for name, _ in each(typer.main.get_command(app))]


def each(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the words and the command, those of subgroups included."""
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from each(command, f"{before}{word} ")
        else:
            yield f"{before}{word}", command
