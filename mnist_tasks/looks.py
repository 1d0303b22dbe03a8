"""The ledger of looks at test images: ``runs/test-set.jsonl``, a line for each model evaluated.

A model stays in it when its run is deleted: it was still compared with the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from mnist_tasks import disk, locks, run_store
from mnist_tasks import record_ranges as ranges
from mnist_tasks.errors import EnvironmentProblemError, printable
from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.records import RunRecord

FILE_NAME = "test-set.jsonl"
LARGEST = 32_000_000  # bytes, of 100,000 models
LOCK_NAME = ".test-set.lock"
_LOCK_TIMEOUT = 5.0  # seconds; others hold the lock for milliseconds
_LONGEST_NAME = 64
_Name = Annotated[str, Meta(max_length=200)]


@dataclass(frozen=True, kw_only=True)
class Look:
    """The first evaluation of a model on test images.

    Attributes
    ----------
    time
        In ISO 8601.
    model
        SHA-256 of the model file.
    recipe
        The name of the recipe, network or script; empty for a model that no run made.
    settings
        Identifies the settings of the recipe and the images it was trained on; empty if unknown.
    dataset
        The name of the data set.
    images
        SHA-256 of the file of the test images; ``None`` if it is unknown.
    correct, count
        Number of images that were classified correctly, and of all.
    """

    time: _Name
    model: ranges.Sha256
    recipe: _Name
    settings: _Name
    dataset: _Name
    images: ranges.Sha256 | None
    correct: ranges.Count
    count: Annotated[int, Meta(ge=1, le=10**9)]


_DECODER = msgspec.json.Decoder(Look)


def of(record: RunRecord) -> Look | None:
    """Return the look of a run's check, or else of its sweep; ``None`` if it saw no test images.

    Without epochs, the record is that of a model that no run made.
    """
    check, trial = record.check, record.trial
    metrics = check.metrics if check else None
    if metrics is None and trial is not None and trial.evaluated_on == "test":
        check, metrics = None, trial.metrics
    if metrics is None:
        return None
    of_run = bool(record.epochs)
    return Look(
        time=(check or record).created[:_LONGEST_NAME],
        model=record.model.sha256,
        recipe=printable(str(record.recipe.get("name")), limit=_LONGEST_NAME) if of_run else "",
        settings=_settings(record) if of_run else "",
        dataset=(check or record).dataset.name,
        images=check.test_images if check else None,
        correct=metrics.correct,
        count=metrics.images,
    )


def add(
    found: Sequence[Look], runs: Path, *, on_skipped: Callable[[str], object] = lambda _: None
) -> None:
    """Add looks to the ledger of a folder of runs, except for those that it has.

    Parameters
    ----------
    on_skipped
        Called with a message if the ledger can't be read or written, which is no failure.
    """
    path = runs / FILE_NAME
    try:
        if not _new(found, _content(path)):
            return
        with (
            disk.writable(runs, remedy=run_store.OTHER_FOLDER),
            locks.locked(runs, name=LOCK_NAME, timeout=_LOCK_TIMEOUT),
        ):
            content = _content(path)
            lines = [msgspec.json.encode(each) + b"\n" for each in _new(found, content)]
            before = b"\n" if content and not content.endswith(b"\n") else b""
            disk.write(path, b"".join([content, before, *lines]))
    except (OSError, NotImplementedError) as error:  # the latter: the disk has no locks
        on_skipped(_not_counted(path, getattr(error, "strerror", None) or str(error)))
    except EnvironmentProblemError as error:
        on_skipped(_not_counted(path, error.found))


def read(runs: Path) -> list[Look]:
    """Return the looks in the ledger of a folder of runs; none if it can't be read."""
    try:
        return _parse(_content(runs / FILE_NAME).splitlines())
    except OSError:
        return []


def of_listed(run: ListedRun) -> Look | None:
    """Return the look of a run as a list has it; ``None`` if it saw no test images."""
    if run.evaluated_on != "test":
        return None
    return Look(
        time=run.created,
        model=run.sha256,
        recipe=printable(run.recipe, limit=_LONGEST_NAME),
        settings="",
        dataset=run.dataset,
        images=None,
        correct=run.correct,
        count=run.images,
    )


def _settings(record: RunRecord) -> str:
    source = record.network_source
    decisive: list[object] = [record.recipe, record.limit, source.sha256 if source else None]
    if source:  # the same code can give several networks, such as a `partial` with other values
        decisive.append([(x.kind, x.output_shape, x.parameters) for x in record.network])
    if record.validation:
        decisive.append(record.validation)
    text = json.dumps(decisive, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _new(found: Sequence[Look], content: bytes) -> list[Look]:
    """Return the looks that a ledger doesn't have, each once."""
    # Only lines about these models are decoded: a ledger may have thousands of others.
    models = [name for each in found if (name := each.model.encode()) in content]
    lines = content.splitlines() if models else []
    known = {_key(each) for each in _parse(x for x in lines if any(name in x for name in models))}
    return list({_key(each): each for each in found if _key(each) not in known}.values())


def _key(look: Look) -> tuple[str, str, str | None]:
    return look.model, look.dataset, look.images


def _content(path: Path) -> bytes:
    try:
        return disk.read_regular(path, limit=LARGEST)
    except FileNotFoundError:
        return b""


def _parse(lines: Iterable[bytes]) -> list[Look]:
    """Return the looks in lines of a ledger; other lines are skipped."""
    found = []
    for line in lines:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found.append(_DECODER.decode(line))
    return [each for each in found if each.correct <= each.count]


def _not_counted(path: Path, found: str) -> str:
    return f"{printable(str(path))}, the count of models compared on the test images: {found}"
