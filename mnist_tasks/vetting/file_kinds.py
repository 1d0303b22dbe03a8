"""Say what a file is by its content, whatever its name, and what to do with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mnist_tasks.vetting.outcomes import Outcome

_SAVE = "save the model with model.save('model.keras')"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP, _ZIP_END = b"PK\x03\x04", b"PK\x05\x06"
_LONGEST_ZIP_END = 22 + 65_535  # bytes: its fields, and a comment


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """A kind of file that is no Keras model."""

    name: str
    remedy: str
    outcome: Outcome = "model-unreadable"


def _pickle(name: str) -> FileKind:
    return FileKind(
        name=f"{name}: opening it can run code",
        remedy="Don't open it unless you trust its source. If you do, rebuild the network in "
        f"Keras, copy the weights, and {_SAVE}.",
        outcome="model-can-run-code",
    )


def _packed(name: str) -> FileKind:
    return FileKind(name=name, remedy="Unpack it, and name the model file in it.")


def _other(name: str, *, remedy: str = f"Convert it to Keras, and {_SAVE}.") -> FileKind:
    return FileKind(name=name, remedy=remedy)


SAVED_MODEL = _other(
    "a TensorFlow SavedModel", remedy=f"Build the network in Keras, load its weights, and {_SAVE}."
)
UNPACKED = _other(
    "an unpacked .keras archive, of which Keras opens the config.json",
    remedy="Name the .keras file itself.",
)
_PYTORCH = _pickle("a PyTorch file, which is a pickle")
_TWO_FILES = FileKind(
    name="an HDF5 file and a ZIP archive in one: the program that opens it chooses between them",
    remedy="Don't open it unless you trust its source.",
    outcome="model-can-run-code",
)
_TEXT_BYTES = frozenset(b"\t\n\r" + bytes(range(32, 127)))
# The start of a file, as a regular expression, and its kind; the first that matches counts.
_STARTS: tuple[tuple[bytes, FileKind], ...] = (
    (rb"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19\.", _PYTORCH),
    (rb"\x80[\x02-\x05]", _pickle("a Python pickle")),
    (rb"c[\w.]+\n[\w.]+\n|\([dlc]p?[\w.]*\n", _pickle("a Python pickle")),
    (rb".{4}TFL3", _other("a TensorFlow Lite model")),
    (rb"\x08\x01\x12", SAVED_MODEL),
    (rb"\x08[\x02-\x0f][\x12\x3a\x42]", _other("an ONNX model")),
    (
        rb"version https://git-lfs\.github\.com/spec/",
        _other("a Git LFS pointer, not the file itself", remedy="Run `git lfs pull`."),
    ),
    (
        rb"(?i)\s*(<!doctype html|<html|<head)",
        _other(
            "an HTML page, not the file itself",
            remedy="Download the file itself: many sites have a link named Raw or Download.",
        ),
    ),
    (rb"GGUF", _other("a GGUF model")),
    (rb"\x93NUMPY", _other("a NumPy array", remedy=f"Load it into its model, and {_SAVE}.")),
    (rb"\x1f\x8b", _packed("a gzip archive")),
    (rb"BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!", _packed("a compressed archive")),
    (rb".{257}ustar", _packed("a tar archive")),
)


def model_format(data: bytes, suffix: str) -> str | FileKind:
    """Return the format that the content of a file has, ``h5`` or ``keras``, or else its kind.

    Parameters
    ----------
    suffix
        That of its name, by which Keras chooses how to open a file that can be read both ways.
    """
    if data.startswith(_HDF5):
        return _TWO_FILES if _ends_as_zip(data) else "h5"
    if data.startswith(_ZIP):
        # The weights of a sound archive may begin at such an offset by chance.
        if suffix != ".keras" and _holds_hdf5(data):
            return _TWO_FILES
        return _zip_kind(data) or "keras"
    for start, kind in _STARTS:
        if re.match(start, data[:300], re.DOTALL):
            return kind
    return _by_structure(data)


def _ends_as_zip(data: bytes) -> bool:
    """Whether a program that reads a ZIP archive from its end would find one."""
    return _ZIP_END in data[-_LONGEST_ZIP_END:]


def _holds_hdf5(data: bytes) -> bool:
    """Whether HDF5 would find a file in this one: it looks at 0, 512, 1,024, 2,048 and so on."""
    offset = 512
    while offset < len(data):
        if data.startswith(_HDF5, offset):
            return True
        offset *= 2
    return False


def _zip_kind(data: bytes) -> FileKind | None:
    # The names of the members are in the archive as they are; the static check parses it.
    if b"model.weights.h5" in data or b"config.json" in data:
        return None
    if b"/data.pkl" in data:
        return _PYTORCH
    if b"saved_model.pb" in data:
        return SAVED_MODEL
    if b".npy" in data:
        return _other("NumPy arrays (.npz)", remedy=f"Load them into their model, and {_SAVE}.")
    return None


def _by_structure(data: bytes) -> FileKind:
    header = int.from_bytes(data[:8], "little")
    if 2 <= header < len(data) and data[8:9] == b"{":
        return _other("a safetensors file: weights without a model")
    if data.endswith(b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"):
        return _other(
            "the index of a TensorFlow checkpoint: weights without a model",
            remedy=f"Load it into its model with model.load_weights(), and {_SAVE}.",
        )
    if _holds_hdf5(data):
        return _other("an HDF5 file with other data before it", remedy=f"Load and {_SAVE}.")
    if all(byte in _TEXT_BYTES for byte in data[:1000]):
        return _text_kind(data)
    return _other(
        f"an unknown kind of file that starts with {data[:8].hex(' ')}",
        remedy="Check that the file was copied completely, and that it is the model file.",
    )


def _text_kind(data: bytes) -> FileKind:
    if b'"nbformat"' in data:
        return _other("a notebook", remedy=f"Run it, and {_SAVE} in it.")
    if b'"class_name"' in data:
        return _other(
            "the description of a model (JSON) without its weights",
            remedy=f"Build the model from it, load its weights, and {_SAVE}.",
        )
    return _other("a text file", remedy="Name the model file itself.")
