"""The cached data files, and the folders that the workflow writes to. Nothing is created."""

from __future__ import annotations

import shutil
from contextlib import suppress
from functools import partial
from pathlib import Path

from mnist_tasks import disk
from mnist_tasks.data import datasets, store
from mnist_tasks.data.datasets import DataFile, Dataset
from mnist_tasks.environment.diagnosis import Finding
from mnist_tasks.errors import EnvironmentProblemError

MIB, GIB = 1 << 20, 1 << 30
LOW_SPACE = 256 * MIB
TOO_LOW_SPACE = 8 * MIB  # a model, its record and its page take less than 1 MiB
_PERMISSIONS = "Fix its owner or permissions, or"


def cache(folder: Path, dataset: Dataset | None = None) -> Finding:
    """Report which data files are cached and intact. What `fetch` can fix is a warning.

    `dataset` is MNIST by default.
    """
    dataset = dataset or datasets.default()
    files = [_cached(folder, file) for file in dataset.files]
    states = [file["state"] for file in files]
    make = partial(
        Finding,
        topic="data",
        name="files",
        found=f"{states.count('ok')} of {len(files)} verified in {folder}",
        facts={"folder": str(folder), "files": files},
    )
    if set(states) == {"ok"}:
        return make()
    if set(states) != {"missing"}:
        make = partial(make, details=tuple(map(_shown, files)))
    if "unreadable" in states:
        remedy = f"{_PERMISSIONS} choose another folder with --data-dir."
        return make(status="error", remedy=remedy)
    return make(status="warning", remedy=f"Run `{dataset.fetch_command}`.")


def folder(name: str, path: Path, *, option: str | None, is_required: bool = True) -> Finding:
    """Report whether a folder can be written or created, and the free space on its disk.

    `option` names another folder; `is_required` is whether the workflow has to write there.
    """
    nearest, error = path, None
    try:
        path = path.absolute()  # fails if the current folder was deleted
        nearest = next(each for each in (path, *path.parents) if each.exists())
        disk.require_writable(nearest, remedy="")
    except EnvironmentProblemError as problem:
        error = problem.found if nearest.is_dir() else f"{nearest} is not a folder"
    except OSError as problem:
        error = problem.strerror or str(problem)
    free = None
    with suppress(OSError):
        free = shutil.disk_usage(nearest).free
    elsewhere = f"choose another folder with {option}." if option else "start in another folder."
    space = "" if free is None else f"; {size(free)} free"
    facts = {"path": str(path), "exists": nearest == path, "free": free, "error": error}
    make = partial(Finding, topic="disk", name=name, facts=facts)
    if error and is_required:
        found = f"{path} can't be written: {error}{space}"
        return make(status="error", found=found, remedy=f"{_PERMISSIONS} {elsewhere}")
    found = str(path) + ("" if nearest == path else ", created when needed")
    found += (", not writable, but not needed" if error else "") + space
    if free is None or free >= LOW_SPACE or not is_required:
        return make(found=found)
    return make(
        status="error" if free < TOO_LOW_SPACE else "warning",
        found=found,
        remedy=f"Free some space on its disk, or {elsewhere}",
    )


def size(count: int) -> str:
    """Return a number of bytes in a suitable unit."""
    return f"{count / GIB:,.1f} GiB" if count >= GIB else f"{count / MIB:,.0f} MiB"


def _cached(folder: Path, file: DataFile) -> dict[str, str | None]:
    """Return a file's name, state, SHA-256, expected SHA-256, and why it can't be read."""
    sha256 = error = None
    try:
        sha256 = store.cached_sha256(folder, file)
        state = "ok" if sha256 == file.sha256 else "wrong" if sha256 else "missing"
    except EnvironmentProblemError as problem:
        state, error = "unreadable", problem.found
    return {
        "name": file.name,
        "state": state,
        "sha256": sha256,
        "expected": file.sha256,
        "error": error,
    }


def _shown(file: dict[str, str | None]) -> str:
    detail = f"SHA-256 {file['sha256']}" if file["state"] == "wrong" else file["error"]
    return f"{file['name']}: {file['state']}" + (f", {detail}" if detail else "")
