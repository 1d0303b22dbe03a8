"""One call of the command line, and the class of its commands."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from mnist_tasks.errors import MnistTasksError, UsageError

if TYPE_CHECKING:
    from mnist_tasks.project import Project

PROGRAM = "mnist-tasks"
# As click names the sources of a value.
FROM_SETTINGS, FROM_VARIABLE = "DEFAULT_MAP", "ENVIRONMENT"
MAY_BE_EMPTY = "network"  # then the recipe's own is trained, also in a project with a network


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
    """A command whose errors name where a value comes from: an option, a variable, the project."""

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Read the words after the command's name."""
        if parent is not None:
            path = f"{parent.command_path} {info_name}"
            parent.ensure_object(Invocation).command = path.removeprefix(f"{PROGRAM} ")
        return super().make_context(info_name, args, parent=parent, **extra)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words, and refuse an empty one: as a path it would be the current folder."""
        given, *_ = self.make_parser(ctx).parse_args(args=[*args])
        rest = super().parse_args(ctx, args)
        for each in self.params:
            value = given.get(each.name)
            words = value if isinstance(value, list | tuple) else [value]
            if "" in words and each.name != MAY_BE_EMPTY and not ctx.resilient_parsing:
                raise UsageError(
                    str(each.metavar if each.param_type_name == "argument" else each.opts[0]),
                    expected="a value",
                    found="an empty one, such as that of an unset variable of the shell",
                    remedy="Give it a value, or leave it out.",
                )
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        from mnist_tasks import console

        try:
            with console.quiet() if ctx.params.get("_quiet") else nullcontext():
                return super().invoke(ctx)
        except MnistTasksError as error:
            if origin := self._origin(ctx, error.subject):
                raise error.about(origin) from error
            raise

    def _origin(self, ctx: Any, subject: str) -> str | None:
        """Return what set the option that an error is about, unless the command line did."""
        name = subject.removeprefix("--").replace("-", "_")
        source = ctx.get_parameter_source(name)
        project = ctx.ensure_object(Invocation).project
        if source is None or not subject.startswith("--"):
            return None
        if source.name == FROM_SETTINGS and project:
            key: str = project.key(name)
            return key
        variables = {each.name: str(each.envvar) for each in self.params}
        return variables[name] if source.name == FROM_VARIABLE else None
