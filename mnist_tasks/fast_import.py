"""Import TensorFlow and Keras quickly and without their start-up messages."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import IO

# What is imported but seldom used: it takes a tenth of the processor time of the whole import, an
# eighth of its modules, which a machine without their bytecode has to compile, and 27 of its 542
# MiB. Each is complete in itself: it registers nothing with the rest. ``tf.lite`` is none of them:
# it imports from the folder ``tensorflow/lite``, which later would be ``tf.lite`` itself.
LATE = frozenset(
    {
        "keras._tf_keras",
        "keras.applications",
        "tensorflow._api.v2.__internal__.distribute.combinations",
        "tensorflow._api.v2.__internal__.distribute.multi_process_runner",
        "tensorflow._api.v2.compat.v1",
        "tensorflow._api.v2.compat.v2",
        "tensorflow._api.v2.debugging.experimental",
        "tensorflow._api.v2.profiler",
        "tensorflow._api.v2.quantization",
        "tensorflow._api.v2.test",
        "tensorflow._api.v2.tpu",
    }
)
# Keras imports them if they are installed, for plots and notebooks.
_OPTIONAL = ("IPython", "matplotlib")


@contextlib.contextmanager
def light() -> Iterator[None]:
    """Make the import of Keras in this block faster, with TensorFlow as its backend.

    What is not used here is not imported, or only once somebody uses it (`LATE`). The garbage
    collector would scan the million objects of the import again and again, although they live as
    long as the process.
    """
    # ~/.keras/keras.json or the user's environment may name another backend.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    late = _LateFinder()
    sys.meta_path.insert(0, late)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        sys.meta_path.remove(late)
        for name in hidden:
            del sys.modules[name]


class _LateFinder(MetaPathFinder):
    """Finds the modules of `LATE`, and has each executed when an attribute of it is first used."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in LATE:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = importlib.util.LazyLoader(_Loader(name, spec.loader.path))
        return spec


class _Loader(SourceFileLoader):
    """Loads a module late, but quietly, and leaves the rest as if it had been loaded at once.

    ``tf.compat.v1`` puts a wrapper of itself in its own place, which `LazyLoader` refuses.
    """

    def exec_module(self, module: ModuleType) -> None:
        library = vars(sys.modules[module.__name__.partition(".")[0]])
        before = dict(library)
        with quiet_stderr():
            super().exec_module(module)
        library.update(before)
        sys.modules[module.__name__] = module


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Buffer what is written to file descriptor 2, and write it only if the block fails.

    A signal that ends the block is not a failure.

    TensorFlow's C++ code writes there directly, past ``sys.stderr`` and before any log level
    applies.
    """
    buffered = _buffered()
    if buffered is None:
        yield
        return
    saved, held_back = buffered
    with held_back:
        try:
            yield
        except Exception:
            os.dup2(saved, 2)
            held_back.seek(0)
            with contextlib.suppress(OSError):  # the error is what counts
                os.write(2, held_back.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _buffered() -> tuple[int, IO[bytes]] | None:
    """Let descriptor 2 write to a temporary file; return a copy of the descriptor, and the file.

    Return ``None`` if the descriptor is closed, or there is no room for the file.
    """
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.flush()
        held_back = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as TensorFlow loads
        saved = os.dup(2)
        os.dup2(held_back.fileno(), 2)
        return saved, held_back
    return None
