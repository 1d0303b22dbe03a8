"""Run one crafted file through the real child process."""

from __future__ import annotations

import re
import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.checking.checker import Checker
from mnist_tasks.errors import MnistTasksError
from mnist_tasks.vetting import sandbox
from tests.vetting.crafted import trained
from tests.vetting.crafted.row import OUTCOMES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.vetting.crafted.row import Row


MOST_SECONDS = 15


@dataclass(frozen=True)
class CheckResult:
    """Result of one file; the processor time is what it takes on a free core, at most."""

    exit_code: int
    reason: str
    cpu_seconds: float
    outcome: str | None = None  # the error's, for programs

    def fits(self, row: Row) -> bool:
        matches = re.search(row.reason, self.reason) is not None
        usual = row.outcome or OUTCOMES.get(row.kind)
        matches = matches and usual in {None, self.outcome}
        return matches and self.exit_code == row.exit_code and self.cpu_seconds < MOST_SECONDS


def try_out(row: Row, folder: Path, canary: Path) -> CheckResult:
    """Inspect one file as ``check`` does, or only vet it if the static check has to refuse it."""
    path = folder / row.name
    row.make(path, canary)
    started = _cpu_seconds()
    code, reason, outcome = 0, "", None
    try:
        if row.contract is not None:
            check, _ = Checker(contract=row.contract, data=trained.load("test")).check(path)
            code = 0 if check.verdict.passed else 1
            failed = (each for each in check.verdict.clauses if each.status != "passed")
            reason = "; ".join(f"{each.name}: {each.found} {each.reason}" for each in failed)
        elif row.needs_keras:
            images = {"test": np.zeros((10, 28, 28), np.uint8)}
            inspection = sandbox.inspect(path, image_sets=images)
            reason = inspection.no_predictions_reason or ""
            code = 1 if reason else 0
        else:
            sandbox.vet(path)
    except MnistTasksError as error:
        code, reason, outcome = error.exit_code, error.found, error.reason
    return CheckResult(code, reason, _cpu_seconds() - started, outcome)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
