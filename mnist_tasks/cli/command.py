"""One call of the command line, and the class of its commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from mnist_tasks.errors import MnistTasksError

if TYPE_CHECKING:
    from mnist_tasks.project import Project

PROGRAM = "mnist-tasks"
FROM_SETTINGS = "DEFAULT_MAP"  # as click names this source of a value


@dataclass
class Invocation:
    """What is known of a call of the command line, filled in as it is read.

    Attributes
    ----------
    command
        The words that name it, such as ``runs list``.
    project
        That of the current folder, whose settings are defaults.
    """

    command: str | None = None
    project: Project | None = None


class Command(TyperCommand):
    """A command whose errors about a value name where it comes from: an option or the project."""

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Read the words after the command's name."""
        if parent is not None:
            path = f"{parent.command_path} {info_name}"
            parent.ensure_object(Invocation).command = path.removeprefix(f"{PROGRAM} ")
        return super().make_context(info_name, args, parent=parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except MnistTasksError as error:
            project = ctx.ensure_object(Invocation).project
            option = error.subject.removeprefix("--")
            source = ctx.get_parameter_source(option)
            if project is None or source is None or source.name != FROM_SETTINGS:
                raise
            raise error.about(project.key(option)) from error
