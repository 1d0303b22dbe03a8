"""Read a model file once: a regular file of a limited size, which is what its bytes say."""

from __future__ import annotations

import errno
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from mnist_tasks import disk
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting import file_kinds
from mnist_tasks.vetting.file_kinds import FileKind
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.outcomes import REMEDIES
from mnist_tasks.vetting.untrusted_text import sanitize

#: The names under which Keras opens a format.
EXTENSIONS = {".h5": "h5", ".hdf5": "h5", ".keras": "keras"}
_OF_SAVED_MODELS = ("saved_model.pb", "saved_model.pbtxt", "saved_model.cpb")
_LARGEST_CONFIG = 10_000_000  # bytes


@dataclass(frozen=True, kw_only=True)
class ModelFileContent:
    """The bytes of a model file: exactly these are vetted, hashed and loaded."""

    name: str  # the path, as printable ASCII
    data: bytes
    file_format: str  # h5 or keras
    sha256: str


def read_model_file(path: Path, *, limits: Limits) -> ModelFileContent:
    """Read a model file once, whatever the path leads to.

    Raises
    ------
    InputRefusedError
        It is missing, not a regular file, too large, or no Keras model by its content.
    """
    name = sanitize(str(path), limit=200)
    data = _read(path, name, limits.file_bytes)
    file_format = file_kinds.model_format(data, path.suffix)
    if isinstance(file_format, FileKind):
        raise _no_model(name, file_format)
    sha256 = hashlib.sha256(data).hexdigest()
    return ModelFileContent(name=name, data=data, file_format=file_format, sha256=sha256)


def folder_kind(folder: Path) -> FileKind | None:
    """Return what a folder is if Keras or TensorFlow opens it as one model."""
    if any((folder / name).exists() for name in _OF_SAVED_MODELS):
        return file_kinds.SAVED_MODEL
    try:
        config = json.loads(disk.read_regular(folder / "config.json", limit=_LARGEST_CONFIG))
    except (OSError, ValueError, RecursionError) as error:
        is_large = getattr(error, "errno", None) == errno.EFBIG
        return file_kinds.UNPACKED if is_large else None
    # Other programs have a config.json beside their models, too.
    return file_kinds.UNPACKED if isinstance(config, dict) and "class_name" in config else None


def _no_model(name: str, kind: FileKind) -> InputRefusedError:
    return InputRefusedError(
        name,
        found=kind.name,
        expected="a Keras model, as model.save() writes it: .keras or .h5",
        remedy=kind.remedy,
        reason=kind.outcome,
    )


def _read(path: Path, name: str, limit: int) -> bytes:
    try:
        data = disk.read_regular(path, limit=limit)
    except FileNotFoundError as error:
        raise InputRefusedError(
            name,
            found="no such file",
            expected="a model file",
            remedy="Name a file that exists, or train a model with `mnist-tasks train`.",
            reason="file-missing",
        ) from error
    except OSError as error:
        found = error.strerror or str(error)
        if isinstance(error, IsADirectoryError) and (kind := folder_kind(path)):
            raise _no_model(name, kind) from error
        if error.errno != errno.EFBIG:
            raise InputRefusedError(
                name,
                found=found,
                expected="a regular file that can be read",
                reason="model-unreadable",
            ) from error
        raise InputRefusedError(
            name,
            found=found,
            expected=f"at most {limit:,} bytes",
            remedy="If you want larger files, raise `bytes_below` in the contract.",
            reason="model-unsupported",
        ) from error
    if not data:
        raise InputRefusedError(
            name,
            found="an empty file",
            expected="a model file",
            remedy=REMEDIES["model-unreadable"],
            reason="model-unreadable",
        )
    return data
