"""What differs between the recorded training of a run and its repetition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mnist_tasks.records import RunRecord


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Something that can change how a training rounds.

    Attributes
    ----------
    what
        Such as ``threads`` or ``version of keras``.
    recorded, found
        That of the record, and that of the repetition; ``None`` if it is unknown.
    """

    what: str
    recorded: str | None
    found: str | None


def between(
    recorded: RunRecord, found: RunRecord, removed: tuple[tuple[str, Any], ...] = ()
) -> tuple[Difference, ...]:
    """Return what differs; the seed, the data and the settings are those of the record.

    Parameters
    ----------
    removed
        Settings of the record that this version no longer has.
    """
    before, now = _facts(recorded), _facts(found)
    before |= {f"setting {name}": str(value) for name, value in removed}
    return tuple(
        Difference(what=what, recorded=before.get(what) or None, found=now.get(what) or None)
        for what in {**before, **now}
        if before.get(what) != now.get(what)
    )


def _facts(record: RunRecord) -> dict[str, str]:
    machine = record.machine
    return {
        "threads": f"{machine.threads}",
        "device": machine.device,
        "devices": f"{machine.replicas}",
        "processor": machine.cpu,
        "platform": machine.platform,
        "trainer": record.trainer,
        **{f"version of {name}": version for name, version in machine.versions.items()},
    }
