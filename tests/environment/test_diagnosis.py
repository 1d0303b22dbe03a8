"""The summary of several findings."""

from __future__ import annotations

import pytest

from mnist_tasks.environment.diagnosis import Diagnosis, Finding, Status, diagnose


def diagnosis(*statuses: Status) -> Diagnosis:
    return diagnose(
        [
            Finding(topic="machine", name=str(number), found="x", status=status, remedy="y")
            for number, status in enumerate(statuses)
        ]
    )


@pytest.mark.parametrize(
    ("statuses", "status", "code", "summary"),
    [
        (("ok", "ok"), "ok", 0, "can run."),
        (("ok", "warning"), "warning", 0, "can run (1 warning)."),
        (("warning", "warning"), "warning", 0, "can run (2 warnings)."),
        (("error", "ok"), "error", 4, "can't run (1 error)."),
        (
            ("error", "warning", "error"),
            "error",
            4,
            "can't run (2 errors, 1 warning).",
        ),
    ],
)
def test_the_worst_status_decides(
    statuses: tuple[Status, ...], status: str, code: int, summary: str
) -> None:
    found = diagnosis(*statuses)
    assert (found.status, found.exit_code) == (status, code)
    assert found.summary.replace(" the workflow", "") == f"This machine {summary}"
    assert [finding.status for finding in found.findings] == list(statuses)
