"""Run the user's own code. An error in it is hers: it names her file and line."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from mnist_tasks import disk
from mnist_tasks.errors import InputRefusedError, MnistTasksError, printable
from mnist_tasks.training import network_file
from mnist_tasks.training.network_file import REASON, NetworkFile

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
# In the message of an error while a graph runs, TensorFlow says where the node was made.
_NODE_MADE = re.compile(r" defined at \(most recent call last\)(?=:)")
_NODE_PLACE = re.compile(r'^  File "(.+)", line (\d+), in .*\n+', re.MULTILINE)
LONGEST = 600  # characters of an error of Python
_OURS = str(Path(__file__).parents[1])
_LIBRARIES = (_OURS, *(sysconfig.get_path(each) for each in ("stdlib", "purelib", "platlib")))
_imported: set[str] = set()
_before: set[str] = set()  # the modules that were there when the user's code was loaded


def load(file: NetworkFile) -> ModuleType:
    """Run a network's file as a module, and return it.

    What is run is the text that was read, which the record keeps, and not the file.
    """
    for name in _imported:  # by an earlier run of this process: the files may have changed
        sys.modules.pop(name, None)
    _imported.clear()
    _before.clear()
    _before.update(sys.modules)
    module = _module(file)
    with running(file):
        if parent := file.module.rpartition(".")[0]:
            importlib.import_module(parent)
        sys.modules[module.__name__] = module  # dataclasses need it, and Keras to read a layer
        code = compile(file.source.text, file.source.path, "exec", dont_inherit=True)
        try:
            exec(code, module.__dict__)  # noqa: S102 - the user asked for it
        finally:
            _note_imported(file)
    return module


def _note_imported(file: NetworkFile) -> None:
    _imported.update(
        name
        for name in sys.modules.keys() - _before
        if _is_users(getattr(sys.modules[name], "__file__", None), file)
    )


def imports(file: NetworkFile) -> dict[str, str]:
    """Return the SHA-256 of the user's files that her code has imported since it was loaded."""
    _note_imported(file)
    modules = (sys.modules[name] for name in sorted(_imported & sys.modules.keys()))
    paths = (Path(found) for each in modules if (found := getattr(each, "__file__", None)))
    return {
        str(network_file.from_here(path)): disk.sha256(path)
        for path in paths
        if str(path) != file.source.path and path.is_file()
    }


def own_objects() -> dict[str, Any]:
    """Return the classes and functions of the code that was loaded last, by name.

    Keras finds what is not its own in an HDF5 file by these.
    """
    return {
        name: found
        for module in _imported & sys.modules.keys()
        for name, found in vars(sys.modules[module]).items()
        if isinstance(found, type | FunctionType) and found.__module__ == module
    }


def function(module: ModuleType, name: str, file: NetworkFile) -> Callable[..., Any] | None:
    """Return a function of the user's file; ``None`` if there is none of that name.

    An imported module of that name, as in ``from keras import callbacks``, is not one.
    """
    found = getattr(module, name, None)
    if found is None or isinstance(found, ModuleType):
        return None
    if not isinstance(found, FunctionType):
        raise InputRefusedError(
            file.source.path,
            expected=f"a function {name}",
            found=f"{name} is of type {type(found).__name__}",
            reason=REASON,
        )
    return found


@contextmanager
def running(file: NetworkFile, *, is_hers: bool = True) -> Iterator[None]:
    """Run the user's code: what it prints goes to standard error, what it raises is explained.

    Parameters
    ----------
    is_hers
        Whether each error is the user's. Otherwise, such as of Keras, which may call her code, only
        one that a line of hers led to.
    """
    try:
        with _printing_to_stderr():
            yield
    except (MnistTasksError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        if not is_hers and not _line(error, file):
            raise
        raise failed(error, file) from error


def _printing_to_stderr() -> AbstractContextManager[Any]:
    # A thread of TensorFlow's can outlive the training: it must not restore what was redirected.
    return nullcontext() if sys.stdout is sys.stderr else redirect_stdout(sys.stderr)


def failed(error: BaseException, file: NetworkFile) -> InputRefusedError:
    """Return the error that names the line of the user's code that failed."""
    last = _STYLE.sub("", traceback.format_exception_only(error)[-1])  # Keras prints in bold
    last = _NODE_MADE.sub("", _NODE_PLACE.sub("", last))
    return InputRefusedError(
        f"{network_file.where(file)}{_line(error, file)}",
        found=printable(last, limit=LONGEST),
        reason=REASON,
    )


def line_of(found: Callable[..., Any], file: NetworkFile) -> str:
    """Return where a function of the user's begins: ``net.py:12``."""
    code = getattr(inspect.unwrap(found), "__code__", None)
    line = f":{code.co_firstlineno}" if code and code.co_filename == file.source.path else ""
    return f"{network_file.where(file)}{line}"


def _line(error: BaseException, file: NetworkFile) -> str:
    """Return the last line of the user's that led to an error: ``:12``; empty if there is none."""
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:  # of a module that her file imports
        places.append((error.filename, error.lineno))
    places += [(each[1], int(each[2])) for each in _NODE_PLACE.finditer(str(error))]
    for name, number in reversed(places):
        if name == file.source.path:
            return f":{number}"
        if _is_users(name, file):
            return f" ({Path(name).name}:{number})"
    return ""


def _is_users(path: str | None, file: NetworkFile) -> bool:
    """Whether a file is the network's or lies in its folder, outside of installed packages."""
    if path is None or path == file.source.path:
        return path is not None
    found = Path(path)
    return found.is_relative_to(file.folder) and not any(map(found.is_relative_to, _LIBRARIES))


def _module(file: NetworkFile) -> ModuleType:
    name = file.module
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"network_{name.replace('.', '_')}"
    module = ModuleType(name)
    path = Path(file.source.path)
    is_package = path.name == "__init__.py"  # whose modules are found in its folder
    module.__spec__ = ModuleSpec(name, None, origin=file.source.path, is_package=is_package)
    module.__file__ = file.source.path
    module.__package__ = name if is_package else file.module.rpartition(".")[0]
    if is_package:
        module.__path__ = module.__spec__.submodule_search_locations = [str(path.absolute().parent)]
    return module
