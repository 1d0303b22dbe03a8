"""The summary of several findings."""

from __future__ import annotations

import json

import pytest

from mnist_tasks import json_text
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
    document = json.loads(json_text.to_json(found.as_dict()))
    assert (document["schema"], document["exit_code"], document["status"]) == (2, code, status)
    assert [finding["status"] for finding in document["findings"]] == list(statuses)
