"""The findings of `doctor`, and whether the workflow can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mnist_tasks.errors import EnvironmentProblemError

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
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """All findings, in the order in which they are shown.

    Attributes
    ----------
    status
        The worst of the findings.
    errors, warnings
        How many there are.
    summary
        The result in one sentence.
    """

    status: Status
    errors: int
    warnings: int
    summary: str
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0 if the workflow can run, with or without warnings."""
        return EnvironmentProblemError.exit_code if self.status == "error" else 0


def diagnose(findings: Sequence[Finding]) -> Diagnosis:
    """Return the findings with their summary."""
    statuses = [finding.status for finding in findings]
    errors, warnings = statuses.count("error"), statuses.count("warning")
    counts = ", ".join(
        f"{count} {name}{'' if count == 1 else 's'}"
        for name, count in (("error", errors), ("warning", warnings))
        if count
    )
    able = "can't" if errors else "can"
    return Diagnosis(
        status="error" if errors else "warning" if warnings else "ok",
        errors=errors,
        warnings=warnings,
        summary=f"This machine {able} run the workflow{f' ({counts})' if counts else ''}.",
        findings=tuple(findings),
    )
