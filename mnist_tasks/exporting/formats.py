"""The formats of an export: their files, and the libraries that make and run them."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mnist_tasks import install
from mnist_tasks.errors import EnvironmentProblemError, UsageError, printable
from mnist_tasks.vetting import read_file

Format = Literal["onnx", "litert", "saved-model"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A format.

    Attributes
    ----------
    title
        As people write it.
    ending
        What takes the place of the suffix of the model's name.
    converter, runtime
        The packages that make it and that run it, as in tables.
    modules
        What has to be installed besides TensorFlow.
    """

    title: str
    ending: str
    converter: str
    runtime: str
    modules: tuple[str, ...] = ()


KINDS: dict[Format, Kind] = {
    "onnx": Kind(
        title="ONNX",
        ending=".onnx",
        converter="tf2onnx",
        runtime="onnxruntime",
        modules=("onnx", "tf2onnx", "onnxruntime"),
    ),
    "litert": Kind(
        title="LiteRT",
        ending=".tflite",
        converter="tensorflow",
        runtime="ai-edge-litert",
        modules=("ai_edge_litert",),
    ),
    "saved-model": Kind(
        title="SavedModel",
        ending="_saved_model",
        converter="tensorflow",
        runtime="tensorflow",
    ),
}
DEFAULT: Format = "onnx"
_OF_SUFFIX: dict[str, Format] = {".onnx": "onnx", ".tflite": "litert"}


def choose(wanted: str | None, output: Path | None) -> Format:
    """Return the format: the one that is named, or else that of the output's suffix, or ONNX.

    Raises
    ------
    UsageError
        There is no such format, or the output has the suffix of another one, or of a Keras model.
    """
    suffix = "" if output is None else output.suffix.lower()
    by_suffix = _OF_SUFFIX.get(suffix)
    chosen = by_suffix or DEFAULT if wanted is None else wanted
    found = next((name for name in KINDS if name == chosen), None)
    if found is None:
        raise UsageError("--format", expected=f"one of {', '.join(KINDS)}", found=printable(chosen))
    named_like = "a Keras model" if suffix in read_file.EXTENSIONS else ""
    if by_suffix not in (None, found):
        named_like = f"the format {by_suffix}"
    if named_like:
        raise UsageError(
            "--output",
            expected=f"a name for the format {found}, such as model{KINDS[found].ending}",
            found=f"{printable(str(output))}, which is named like {named_like}",
            remedy="Change --format or --output.",
        )
    return found


def default_output(model: Path, chosen: Format) -> Path:
    """Return the path beside the model: ``model.onnx`` for ``model.h5``."""
    # Elsewhere, a dot ends no name: not that of ``digits-v1.2``.
    name = model.stem if model.suffix.lower() in read_file.EXTENSIONS else model.name
    return model.parent / f"{name}{KINDS[chosen].ending}"


def require_libraries(chosen: Format) -> None:
    """Raise an error if a library that the format needs is not installed.

    Raises
    ------
    EnvironmentProblemError
        It names the command that installs them.
    """
    for name in KINDS[chosen].modules:
        if importlib.util.find_spec(name) is None:
            raise missing(chosen, name, "it is not installed")


def missing(chosen: Format, name: str, found: str) -> EnvironmentProblemError:
    """Return the error for a library of the extra ``export`` that can't be imported."""
    return EnvironmentProblemError(
        f"--format {chosen}",
        expected=f"the library {printable(name)}",
        found=found,
        remedy=f"Run {install.command('export')}.",
        reason="library-broken",
    )
