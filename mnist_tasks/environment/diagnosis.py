"""What an examination of the machine found, and whether the workflow can run on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

from mnist_tasks.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
Status = Literal["ok", "warning", "fault"]
Topic = Literal["machine", "TensorFlow", "GPU", "data", "disk"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    status
        A fault keeps the workflow from running; a warning is worth knowing.
    remedy
        What to do, where the status is not ok.
    details
        Lines below the finding: the parts that it is made of.
    facts
        The same for programs, and more.
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
        """The worst of the findings."""
        if self.count("fault"):
            return "fault"
        return "warning" if self.count("warning") else "ok"

    @property
    def exit_code(self) -> int:
        """0 where the workflow can run, with warnings or without."""
        return EnvironmentProblemError.exit_code if self.status == "fault" else 0

    @property
    def summary(self) -> str:
        """The whole in a sentence."""
        counts = [
            f"{count} {name}{'' if count == 1 else 's'}"
            for name in ("fault", "warning")
            if (count := self.count(name))
        ]
        if self.status == "fault":
            return f"{', '.join(counts)}: this machine can't run the workflow as it is."
        noted = f" ({', '.join(counts)})" if counts else ""
        return f"Healthy{noted}: this machine can run the workflow."

    def count(self, status: str) -> int:
        """Return how many findings have a status."""
        return sum(finding.status == status for finding in self.findings)

    def as_dict(self) -> dict[str, object]:
        """Return everything, for JSON."""
        return {
            "schema": SCHEMA,
            "status": self.status,
            "exit_code": self.exit_code,
            "faults": self.count("fault"),
            "warnings": self.count("warning"),
            "summary": self.summary,
            "findings": [asdict(finding) for finding in self.findings],
        }
