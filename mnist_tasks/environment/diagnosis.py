"""The findings of `doctor`, and whether the workflow can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from mnist_tasks.errors import EnvironmentProblemError

SCHEMA = 2
Status = Literal["ok", "warning", "error"]
Topic = Literal["machine", "TensorFlow", "GPU", "vetting", "data", "disk"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check.

    Attributes
    ----------
    status
        An error keeps the workflow from running; a warning does not.
    remedy
        What to do, unless the status is ``ok``.
    details
        Lines shown below the finding.
    facts
        Details for programs, in JSON.
    """

    topic: Topic
    name: str
    found: str
    status: Status = "ok"
    remedy: str | None = None
    details: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """All findings, in the order in which they are shown."""

    findings: tuple[Finding, ...]

    @property
    def status(self) -> Status:
        """The worst status of the findings."""
        if self.count("error"):
            return "error"
        return "warning" if self.count("warning") else "ok"

    @property
    def exit_code(self) -> int:
        """0 if the workflow can run, with or without warnings."""
        return EnvironmentProblemError.exit_code if self.status == "error" else 0

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        counts = ", ".join(
            f"{count} {name}{'' if count == 1 else 's'}"
            for name in ("error", "warning")
            if (count := self.count(name))
        )
        able = "can't" if self.status == "error" else "can"
        return f"This machine {able} run the workflow{f' ({counts})' if counts else ''}."

    def count(self, status: str) -> int:
        """Return the number of findings with a status."""
        return sum(finding.status == status for finding in self.findings)

    def as_dict(self) -> dict[str, object]:
        """Return everything, for JSON."""
        return {
            "schema": SCHEMA,
            "status": self.status,
            "exit_code": self.exit_code,
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "summary": self.summary,
            "findings": [asdict(finding) for finding in self.findings],
        }
