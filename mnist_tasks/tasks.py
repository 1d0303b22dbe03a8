"""The workflow as tasks for invoke, which a project's ``tasks.py`` imports.

Each but `workflow` runs the command of its name and takes its options, which are read from the
command line itself; `workflow` fetches, trains, checks and reports.
"""

from __future__ import annotations

import inspect
import keyword
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.parser.parser import ParseMachine
from invoke.tasks import Task, task
from typer.main import get_command

from mnist_tasks import errors, foreground
from mnist_tasks.cli.app import app

# -P: no module of the project takes the place of a library's.
CLI = (sys.executable, "-P", "-m", "mnist_tasks")
_COMMANDS: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]


def run(context: Context, command: str, *words: str) -> int:
    """Run a command of the CLI and return its exit code.

    The command line is shown on standard error, without passwords. With ``invoke --dry`` it is
    printed on standard output and not run.
    """
    if context.remainder:
        raise Exit(
            f"Nothing may follow `--`, but {errors.printable(context.remainder)} does: "
            "write it without `--`, after the name of the task.",
            code=errors.UsageError.exit_code,
        )
    stream = sys.stdout if context.config.run.dry else sys.stderr
    line = foreground.command_line([*CLI, command, *map(errors.redact, words)])
    print(_representable(line, stream.encoding or "utf-8"), file=stream, flush=True)
    return 0 if context.config.run.dry else foreground.run([*CLI, command, *words])


def _representable(text: str, encoding: str) -> str:
    """Return text without control characters, with ``?`` for what an encoding lacks."""
    return errors.without_controls(text).encode(encoding, "replace").decode(encoding)


def words_of(command: str, **values: Any) -> list[str]:
    """Return the words of a command line that give a command these parameters.

    A parameter is named after its option, ``from_`` for ``--from``, or after the placeholder of an
    argument, ``model`` for ``MODEL``. ``None``, ``False`` and an empty list are left out.
    """
    words = []
    for name, parameter in _parameters(command).items():
        value = values.pop(name, None)
        option = [parameter.opts[0]] if parameter.param_type_name == "option" else []
        for each in value if isinstance(value, list) else [value]:
            if each is True:
                words += option
            elif each is not None and each is not False:  # 0 is a value
                words += [*option, str(each)]
    if values:
        raise TypeError(f"mnist-tasks {command} has no parameter {', '.join(values)}")
    return words


def _parameters(command: str) -> dict[str, Any]:
    """Return the parameters of a command by their names in a task."""
    named = {}
    for parameter in _COMMANDS[command].params:
        if parameter.param_type_name == "argument":
            name = parameter.metavar.lower()
        else:
            name = parameter.opts[0].removeprefix("--").replace("-", "_")
        named[name + "_" * keyword.iskeyword(name)] = parameter
    return named


class _CommandTask(Task[Any]):
    """A task that takes words without an option where its command does: `invoke report latest`."""

    words: str | None = None  # the parameter that takes them

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Return the arguments for invoke's parser, of which one is marked."""
        arguments = super().get_arguments(ignore_unknown_help)
        for each in arguments:
            each.takes_words = each.name == self.words  # type: ignore[attr-defined]
        return arguments


def _take_words(
    handle: Callable[[ParseMachine, str], None],
) -> Callable[[ParseMachine, str], None]:
    """Return a method of invoke's parser that gives words to such a task.

    The parser itself knows required words only. What it has a use for stays as it is: options,
    their values, and names of tasks. It doesn't expect a second value of an option, which is no
    such word, either.
    """

    def handle_or_take(machine: ParseMachine, word: str) -> None:
        arguments = machine.context.args.values() if machine.context else ()
        takes = [each for each in arguments if getattr(each, "takes_words", False)]
        is_option = word.startswith("-") and word != "-"
        option = machine.flag
        is_value = option and option.takes_value and not machine.flag_got_value
        if not takes or is_option or is_value or word in machine.contexts:
            handle(machine, word)
        elif takes[0].got_value and takes[0].kind is not list:
            machine.error(f"'{machine.context.name}' takes one word, but {word!r} is another")
        else:
            takes[0].value = word

    return handle_or_take


def _refuse(_: ParseMachine, msg: str) -> NoReturn:
    """End invoke on wrong usage as commands end: its own exit code means a failed contract."""
    raise Exit(msg, code=errors.UsageError.exit_code)


ParseMachine.handle = _take_words(ParseMachine.handle)  # type: ignore[assignment, method-assign]
ParseMachine.error = _refuse  # type: ignore[assignment, method-assign]


def _task(command: str) -> Task[Any]:
    """Return the task that runs a command and takes its options."""

    def body(context: Context, **values: Any) -> None:
        if code := run(context, command, *words_of(command, **values)):
            raise Exit(code=code)

    parameters = _parameters(command)
    repeatable = [name for name, each in parameters.items() if _is_repeatable(each)]
    body.__name__ = command
    body.__doc__ = inspect.getdoc(_COMMANDS[command].callback)
    body.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
        + [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=False if getattr(each, "is_flag", False) else None,
            )
            for name, each in parameters.items()
        ]
    )
    made = _CommandTask(
        body,
        auto_shortflags=False,
        iterable=repeatable,
        help={name: each.help.replace("\\[", "[") for name, each in parameters.items()},
    )
    made.words = next(
        (name for name, each in parameters.items() if each.param_type_name == "argument"), None
    )
    return made


def _is_repeatable(parameter: Any) -> bool:
    return parameter.nargs == -1 or getattr(parameter, "multiple", False)


fetch = _task("fetch")
train = _task("train")
check = _task("check")
report = _task("report")
reproduce = _task("reproduce")
export = _task("export")
demo = _task("demo")
predict = _task("predict")


@task(
    default=True,
    auto_shortflags=False,
    help={
        "model": "Model file from elsewhere, to check and report on in place of training one.",
        "device": "Device to train on.",
        "output": "Model file to write.",
        "runs": "Folder of the run records.",
        "junit": "JUnit XML file to write.",
        "markdown": "Markdown file to write.",
    },
)
def workflow(
    context: Context,
    model: str | None = None,
    device: str | None = None,
    output: str | None = None,
    runs: str | None = None,
    junit: str | None = None,
    markdown: str | None = None,
) -> None:
    """Fetch, train, check and report.

    A model that does not pass the contract is reported on, too; the exit code is that of the check.
    """
    if model and (model == "-" or Path(model).is_dir()):
        raise Exit(
            "--model takes one model file, which is reported on, too. `invoke check` takes folders "
            "and lists.",
            code=errors.UsageError.exit_code,
        )
    fetch(context)
    if model is None:  # an empty one is refused by `check`
        train(context, device=device, output=output, runs=runs)
    checked = output if model is None else model
    wanted = words_of("check", model=checked, runs=runs, junit=junit, markdown=markdown)
    code = run(context, "check", *wanted)
    if code in (0, errors.CONTRACT_FAILED):
        reported = run(context, "report", *words_of("report", run=model, runs=runs))
        code = code or reported
    if code:
        raise Exit(code=code)
