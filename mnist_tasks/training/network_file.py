"""Find the user's own network, such as ``net.py:build``. Nothing of it is run here."""

from __future__ import annotations

import errno
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Final

from mnist_tasks import disk, project
from mnist_tasks.code_records import NetworkSource
from mnist_tasks.errors import InputRefusedError, UsageError, printable

OPTION = "--network"
FUNCTION = "build"
DEFAULT_RECIPE = "default"
LARGEST = 200_000  # bytes: the record keeps the text
WHAT = f"net.py, net.py:function or package.module:function (without a function: {FUNCTION})"
REASON: Final = "network-code-failed"


@dataclass(frozen=True, kw_only=True)
class NetworkFile:
    """A user's file with the function that returns her Keras model.

    Attributes
    ----------
    module
        Name under which the file is imported.
    folder
        Absolute path of the folder that is importable while the code runs.
    given
        The function itself, if it came from Python and not from a file.
    """

    source: NetworkSource
    module: str
    folder: str
    given: Callable[..., Any] | None = None


def reference(file: NetworkFile) -> str:
    """Return a network as a user names it."""
    source = file.source
    return f"{source.path}:{source.function}" if source.path else source.function


def note(file: NetworkFile) -> str:
    """Return the line that says whose code is run."""
    return f"Running your code: {file.source.path or 'Python'}, function {file.source.function}."


def where(file: NetworkFile) -> str:
    """Return what an error about a network is about: its file, or a function that is in none."""
    return file.source.path or f"the function {file.source.function}"


def title(reference: str, recipe: str) -> str:
    """Return the name of a network, trained with the settings of a recipe, as in tables.

    >>> title("models/net.py:build", "default")
    'net.py'
    >>> title("package.module:small", "plain")
    'package.module:small (plain)'
    """
    where, function = split(reference)
    shown = Path(where).name if is_file(where) else where
    named = shown if function == FUNCTION else f"{shown}:{function}"
    return printable(named if recipe == DEFAULT_RECIPE else f"{named} ({recipe})")


def is_file(where: str) -> bool:
    """Whether a reference names a file, and not a module."""
    return where.endswith(".py") or any(each in where for each in ("/", os.sep))


def split(reference: str) -> tuple[str, str]:
    """Return the file or module of a reference, and its function.

    >>> split("net.py")
    ('net.py', 'build')
    >>> split("package.module:small")
    ('package.module', 'small')
    """
    where, _, function = reference.rpartition(":")
    if where and function.isidentifier():
        return where, function
    return reference, FUNCTION


def find(reference: str) -> NetworkFile:
    """Find a network and read its text, without running it.

    Raises
    ------
    UsageError
        The reference is not a file or a module.
    InputRefusedError
        The file is missing, too large, not text, or not valid Python.
    """
    where, function = split(reference)
    if is_file(where):
        path, module = from_here(Path(where)), Path(where).stem
        folder = path.absolute().parent
    elif where and all(part.isidentifier() for part in where.split(".")):
        path, folder = _find_module(where)
        module = where
    else:
        raise UsageError(OPTION, expected=WHAT, found=printable(reference) or "nothing")
    content = _read(path)
    text = _checked(content, path)
    digest = hashlib.sha256(content).hexdigest()
    return NetworkFile(
        source=NetworkSource(path=str(path), function=function, text=text, sha256=digest),
        module=module,
        folder=str(folder),
    )


def of_function(function: Callable[..., Any]) -> NetworkFile:
    """Return the network of a function of this process, such as one of a notebook.

    Only the function is used: not an ``augment`` or a ``callbacks`` beside it.
    """
    try:
        path = inspect.getsourcefile(function) or ""
        lines, _ = inspect.getsourcelines(function)
    except (OSError, TypeError):  # it was typed into an interpreter
        path, lines = "", []
    has_file = path.endswith(".py") and Path(path).is_file()
    text = _checked(_read(Path(path)), Path(path)) if has_file else "".join(lines)
    return NetworkFile(
        source=NetworkSource(
            path=path,
            function=getattr(function, "__qualname__", type(function).__name__),
            text=text,
            sha256=hashlib.sha256(text.encode(errors="replace")).hexdigest(),
        ),
        module=getattr(function, "__module__", None) or "",
        folder=str(Path(path).absolute().parent if has_file else Path.cwd()),
        given=function,
    )


@contextmanager
def importable(folder: str) -> Iterator[None]:
    """Make the modules of a folder importable, as they are for ``python net.py``."""
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def _find_module(name: str) -> tuple[Path, Path]:
    """Return the file of a module, and the folder that it is imported from.

    That is the current folder, or the one of its project.
    """
    ours = project.find()
    for folder in dict.fromkeys((Path.cwd(), (ours.folder if ours else Path()).resolve())):
        with importable(str(folder)):
            spec = _spec(name)
        if spec is not None and spec.origin and spec.has_location:
            return from_here(Path(spec.origin)), folder
    raise InputRefusedError(
        OPTION,
        expected=f"a module that can be imported from here: {WHAT}",
        found=f"no module {name}",
        remedy="Run the command in the folder of the package, or name the file: net.py",
        reason="file-missing",
    )


def _spec(name: str) -> ModuleSpec | None:
    """Return where a module is. Its packages are searched, but not imported."""
    places: list[str] | None = None
    spec: ModuleSpec | None = None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        part = ".".join(parts[:depth])
        spec = next(
            (found for each in sys.meta_path if (found := each.find_spec(part, places))), None
        )
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or ())
    return spec


def from_here(path: Path) -> Path:
    """Return a path relative to the current folder if it lies there."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _read(path: Path) -> bytes:
    try:
        return disk.read_regular(path, limit=LARGEST)
    except (OSError, ValueError) as error:  # a ValueError: a null character
        found = getattr(error, "strerror", None) or str(error)
        number = getattr(error, "errno", None)
        is_missing = number == errno.ENOENT
        if number == errno.EFBIG:
            found = f"{found}, more than {LARGEST:,}"
        raise InputRefusedError(
            str(path),
            expected=f"a Python file with a function {FUNCTION}() that returns a Keras model",
            found=found,
            remedy=f"Name where it is: {OPTION} FOLDER/{path.name}" if is_missing else None,
            reason="file-missing" if is_missing else None,
        ) from error


def _checked(content: bytes, path: Path) -> str:
    """Return the text of a file that is valid Python."""
    try:
        text = importlib.util.decode_source(content)
        compile(text, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""
        raise InputRefusedError(
            f"{path}{line}", found=f"{type(error).__name__}: {error.msg}", reason=REASON
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputRefusedError(
            str(path), expected="a Python file", found=str(error), reason=REASON
        ) from error
    return text
