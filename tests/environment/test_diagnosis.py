"""Findings, summed up."""

from __future__ import annotations

import json

import pytest

from mnist_tasks import run_store
from mnist_tasks.environment.diagnosis import Diagnosis, Finding, Status


def diagnosis(*statuses: Status) -> Diagnosis:
    return Diagnosis(
        findings=tuple(
            Finding(topic="machine", name=str(number), found="x", status=status, remedy="y")
            for number, status in enumerate(statuses)
        )
    )


@pytest.mark.parametrize(
    ("statuses", "status", "code", "summary"),
    [
        (("ok", "ok"), "ok", 0, "Healthy: this machine can run the workflow."),
        (("ok", "warning"), "warning", 0, "Healthy (1 warning): this machine can run"),
        (("warning", "warning"), "warning", 0, "Healthy (2 warnings): this machine can run"),
        (("fault", "ok"), "fault", 4, "1 fault: this machine can't run the workflow"),
        (("fault", "warning", "fault"), "fault", 4, "2 faults, 1 warning: this machine can't"),
    ],
)
def test_the_worst_decides(
    statuses: tuple[Status, ...], status: str, code: int, summary: str
) -> None:
    found = diagnosis(*statuses)
    assert (found.status, found.exit_code) == (status, code)
    assert found.summary.startswith(summary)
    document = json.loads(run_store.to_json(found.as_dict()))
    assert (document["schema"], document["exit_code"], document["status"]) == (1, code, status)
    assert [finding["status"] for finding in document["findings"]] == list(statuses)
