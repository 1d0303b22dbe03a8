"""The cache of data files: which of the four are there, and are what they should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mnist_tasks import disk
from mnist_tasks.data import datasets
from mnist_tasks.environment.diagnosis import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.environment.diagnosis import Status
    from mnist_tasks.environment.source_check import Answer

State = Literal["ok", "missing", "wrong", "unreadable"]
FETCH = "Run `mnist-tasks fetch`."


@dataclass(frozen=True, kw_only=True)
class Cached:
    """One of the four files.

    Attributes
    ----------
    sha256
        What was found; ``None`` where there is no file, or one that can't be read.
    """

    name: str
    state: State
    sha256: str | None
    expected: str
    why: str | None = None


def look(folder: Path) -> tuple[Cached, ...]:
    """Hash the files of a folder."""
    found = []
    for file in datasets.FILES:
        path = folder / file.name
        state: State = "missing"
        digest = why = None
        try:
            if path.exists():
                digest = disk.sha256(path)
                state = "ok" if digest == file.sha256 else "wrong"
        except OSError as error:
            state, why = "unreadable", error.strerror or str(error)
        found.append(
            Cached(name=file.name, state=state, sha256=digest, expected=file.sha256, why=why)
        )
    return tuple(found)


def is_complete(cached: tuple[Cached, ...]) -> bool:
    """Tell whether nothing has to be fetched."""
    return all(file.state == "ok" for file in cached)


def finding(folder: Path, cached: tuple[Cached, ...]) -> Finding:
    """Say which files are there. What `fetch` mends by itself is a warning."""
    good = sum(file.state == "ok" for file in cached)
    blocked = any(file.state == "unreadable" for file in cached)
    whole = is_complete(cached)
    is_empty = all(file.state == "missing" for file in cached)
    remedy = "Mend its owner or its mode, or take another folder with --data-dir."
    return Finding(
        topic="data",
        name="files",
        status="ok" if whole else "fault" if blocked else "warning",
        found=f"{good} of {len(cached)} verified in {folder}",
        remedy=None if whole else remedy if blocked else FETCH,
        details=()
        if whole or is_empty
        else tuple(f"{file.name}: {_shown(file)}" for file in cached),
        facts={"folder": str(folder), "files": cached},
    )


def sources(answers: tuple[Answer, ...] | None, *, complete: bool) -> Finding:
    """Say which sources answer. That none does matters where something is to be fetched."""
    if answers is None:
        return Finding(
            topic="data", name="sources", found="not asked (--offline)", facts={"asked": False}
        )
    good = [answer.name for answer in answers if answer.answers]
    status: Status = "ok" if good else "warning" if complete else "fault"
    found = f"{len(good)} of {len(answers)} answer"
    remedy = "Mend the network, or name a mirror with --mirror"
    remedy += (
        "; nothing has to be fetched as long as the cache is there."
        if complete
        else ", or bring the files and run `mnist-tasks fetch --from FOLDER`."
    )
    return Finding(
        topic="data",
        name="sources",
        status=status,
        found=found if good or complete else f"{found}, and the cache lacks files",
        remedy=None if good else remedy,
        details=tuple(f"{answer.name}: {answer.why or 'answers'}" for answer in answers),
        facts={"asked": True, "sources": answers},
    )


def _shown(file: Cached) -> str:
    if file.state == "wrong":
        return f"wrong, SHA-256 {file.sha256}"
    return f"{file.state}, {file.why}" if file.why else file.state
