"""The model files of runs: each run keeps its own beside its record, ``runs/<id>/model.h5``.

The file that the user named, such as ``model_latest.h5``, is a copy, and no hard link: Keras writes
in place when a model is saved there again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mnist_tasks import disk, record_json, run_store, temporary
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, UsageError
from mnist_tasks.records import RunRecord

OTHER_OUTPUT = "Name another file with --output."


def kept(record: RunRecord, folder: Path) -> Path:
    """Return the path of a run's own model in the run's folder, in which older runs have none."""
    return own_path(folder, Path(record.model.path))


def own_path(folder: Path, output: Path) -> Path:
    """Return the path of a run's own model in the run's folder, with the suffix of the output."""
    return folder / f"model{output.suffix}"


def require_own(output: Path, runs: Path, *, option: str = "--output", force: str) -> None:
    """Refuse a file that exists and that no run in a folder of runs made.

    Parameters
    ----------
    option, force
        What the user writes to name the file, and to replace it nevertheless.

    Raises
    ------
    UsageError
        The file is there, and no record has its SHA-256.
    """
    try:
        digest = disk.sha256(output) if output.is_file() else None
    except OSError:
        digest = ""  # it can't be read, so no run is known to have made it
    if digest is None or _was_made(digest, runs):
        return
    raise UsageError(
        option,
        expected=f"a new file, or one that a run in {runs} made",
        found=f"{output}, which none of them made",
        remedy=f"Name another file with {option}, or replace this one with {force}.",
        reason="would-overwrite",
    )


@contextmanager
def new_folder(runs: Path) -> Iterator[Path]:
    """Create a folder for a new run, with a temporary name until `publish` has renamed it.

    Otherwise it is deleted, whatever becomes of this process.

    Raises
    ------
    EnvironmentProblemError
        The folder can't be written.
    """
    with ExitStack() as stack:
        with disk.writable(runs, remedy=run_store.OTHER_FOLDER):
            folder = stack.enter_context(temporary.folder(runs))
        yield folder


def publish(record: RunRecord, folder: Path) -> RunRecord:
    """Complete the folder of a new run, which has its model, then replace the file it is for.

    In this order a record may be newer than the file, but never the other way around.

    Returns
    -------
    record
        As it was written: the newest of its folder.

    Raises
    ------
    EnvironmentProblemError
        A file can't be written; the error says which are new.
    InputRefusedError
        The record has a value that no record may have, or the folder of runs can't be read.
    KeyboardInterrupt
        With the same in words.
    """
    output = Path(record.model.path)
    final = folder.parent / record.id
    own = kept(record, final)
    state = f"The new model is {own}, without a record of the run. {output} was not replaced."
    try:
        with disk.writable(folder.parent, remedy=run_store.OTHER_FOLDER):
            try:
                record = run_store.in_order(record, folder.parent)
                disk.write(folder / run_store.RECORD_NAME, record_json.to_json(record))
            finally:  # better a model without a record than none
                folder.chmod(disk.default_mode(0o777))
                folder.rename(final)
        state = f"The run is recorded, with its model {own}. {output} was not replaced."
        with disk.writable(output.parent, remedy=OTHER_OUTPUT):
            disk.write(output, own.read_bytes())
    except (EnvironmentProblemError, InputRefusedError) as error:
        raise error.about(error.subject, found=f"{error.found}. {state}") from error
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(state) from error
    return record


def replaced(record: RunRecord) -> bool:
    """Whether the file that a run wrote is there, and is now another model."""
    path = Path(record.model.path)
    try:
        if path.stat().st_size != record.model.bytes:
            return True
        return disk.sha256(path) != record.model.sha256
    except (OSError, ValueError):
        return False


def _was_made(digest: str, runs: Path) -> bool:
    """Whether a record has the SHA-256 of a model."""
    try:
        return run_store.list_runs(runs).newest_of(digest) is not None
    except InputRefusedError:  # it is no folder
        return False
