"""The tables of `mnist-tasks false-alarms`."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from mnist_tasks.checking.decided import DecidedClause
from mnist_tasks.reporting.terminal import false_alarms
from mnist_tasks.sweeping.clause_power import WHOLE, DetectedDrops
from mnist_tasks.sweeping.false_alarms import (
    ClauseFalseAlarms,
    FalseAlarmReport,
    SettingFalseAlarms,
)

ACCURACY = DetectedDrops(
    name="test accuracy",
    bound="> 95.00%",
    bound_value=0.95,
    drop_50=0.0419,
    drop_90=0.0445,
    drop_99=None,
    images_for_half=None,
)
SUGGESTED = replace(
    ACCURACY, bound="> 98.99%", bound_value=0.9899, is_suggested=True, images_for_half=59_000
)


def text_of(report: FalseAlarmReport, width: int) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(false_alarms.report(report))
    return captured.get()


def clause(name: str, unit: str | None) -> ClauseFalseAlarms:
    return ClauseFalseAlarms(name=name, bound="it", unit=unit, alarms=0, rate=0, low=0, high=0.3)


SETTING = SettingFalseAlarms(
    setting="default",
    runs=10,
    clauses=(
        clause("parameters", "parameters"),
        clause("output shape", None),
        clause("test accuracy", "share"),
        clause("accuracy ceiling", "share"),
        clause("worst recall", None),
        clause("calibration error", "share"),
        clause(WHOLE, None),
    ),
    detected=(ACCURACY, SUGGESTED, replace(ACCURACY, name=WHOLE, bound="", bound_value=None)),
)
REPORT = FalseAlarmReport(
    folder="swept",
    evaluated_on="test",
    images=10_000,
    target_rate=0.01,
    contract=None,
    missing_runs=0,
    settings=(SETTING,),
    decided=(
        DecidedClause(name="latency", bound="< 1 ms", outcome="passed", reason="so [red]slow"),
        DecidedClause(name="worst recall", bound="> 99%", outcome="not passed", reason="few"),
    ),
)


def test_detected_drops_are_in_percentage_points() -> None:
    lines = text_of(REPORT, width=80).splitlines()
    rows = [line.split() for line in lines if "4.19" in line]
    assert rows == [
        ["test", "accuracy", ">", "95.00%", "4.19", "4.45", "–", "–"],
        [">", "98.99%", "4.19", "4.45", "–", "59,000"],
        ["the", "contract", "4.19", "4.45", "–", "–"],
    ]
    assert "No drop in accuracy fails: parameters, output shape, accuracy ceiling." in lines
    assert "Not estimated: calibration error." in lines
    assert max(map(len, lines)) <= 80


def test_clauses_that_are_decided_are_named() -> None:
    text = text_of(REPORT, width=200)
    assert "Can't fail: latency < 1 ms; so [red]slow." in text
    assert "No model can pass: worst recall > 99%; few." in text


def test_without_detected_drops_nothing_is_said_of_them() -> None:
    unknown = replace(REPORT, settings=(replace(SETTING, detected=()),), decided=())
    assert "detected" not in text_of(unknown, width=200)
