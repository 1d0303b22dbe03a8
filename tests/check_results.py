"""Check results of every kind, for tests."""

from __future__ import annotations

from dataclasses import replace

from mnist_tasks.checking.results import CheckResult, CheckResults, gather, of_check
from mnist_tasks.errors import Failure
from mnist_tasks.verdict import Clause, Errors, Interval, Verdict
from tests import examples

HOSTILE = "[red]\x1b[31m\x00\ufffe|<b>`]]>&www.x.y https://x @me #1 $a$\n# no" + "x" * 2_000

ACCURACY = Clause(
    name="test accuracy",
    bound="> 95.00%",
    found="95.20%",
    status="inconclusive",
    bound_value=0.95,
    found_value=0.952,
    unit="share",
    direction="above",
    interval=Interval(low=0.9462, high=0.9572, confidence=0.99),
    errors=Errors(seen=480, images=10_000, allowed=443),
    reason="could be slightly better or worse",
)
BASELINE = Clause(
    name="baseline",
    bound="at most 0.2 points worse than best.h5",
    found="99.00%, baseline 99.50%: 60 images regressed, 10 fixed",
    status="failed",
    bound_value=-0.2,
    found_value=-0.5,
    unit="points",
    interval=Interval(low=-0.75, high=-0.28, confidence=0.99),
    errors=Errors(seen=100, images=10_000),
    reason="shown to be worse (Tango's score test, p = 0.0012)",
)
BLIND = Clause(
    name="latency",
    bound="< 5 ms",
    found="it has 2 inputs",
    status="not measured",
    direction="below",
    reason="it has 2 inputs",
)
FINE = Clause(name="parameters", bound="< 25,000", found="21,586", status="passed")


def of(*clauses: Clause, path: str = "model.h5") -> CheckResult:
    check = examples.check()
    check = replace(check, verdict=Verdict(clauses=clauses), model=replace(check.model, path=path))
    return of_check(check)


def refused(path: str = "bad.h5", found: str = "a pickle") -> CheckResult:
    error = Failure(
        title="Input refused", subject=path, found=found, expected="a model", remedy="don't"
    )
    return CheckResult(path=path, status="error", exit_code=3, error=error)


def every_kind() -> CheckResults:
    return gather(
        [of(FINE), of(FINE, ACCURACY), of(FINE, BASELINE, BLIND), refused()], "contract.toml"
    )


def hostile() -> CheckResults:
    clause = replace(BASELINE, name=HOSTILE, bound=HOSTILE, found=HOSTILE, reason=HOSTILE)
    return gather([of(clause, path=HOSTILE), refused(HOSTILE, HOSTILE)], HOSTILE)
