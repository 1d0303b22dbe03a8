"""Versions of Keras with known vulnerabilities."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.version import Version

from mnist_tasks.environment import advisories

LAMBDA, BOMB, LINKS = "CVE-2026-12481", "CVE-2026-0897", "CVE-2026-1669"
SAVED_MODEL = "CVE-2026-1462"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.15.1", set()),
        ("3.15.0", set()),
        ("3.16.0", set()),
        ("3.15.0rc0", {LAMBDA}),
        ("3.14.1", {LAMBDA}),
        ("3.13.2", {LAMBDA}),
        ("3.13.1", {LAMBDA, BOMB, LINKS, SAVED_MODEL}),
        ("3.12.4", {SAVED_MODEL}),
        ("3.12.1", {LAMBDA, SAVED_MODEL}),
        ("3.12.0", {LAMBDA, BOMB, LINKS, SAVED_MODEL}),
    ],
)
def test_a_fix_counts_on_its_branch_and_on_later_ones(version: str, expected: set[str]) -> None:
    assert set(advisories.affecting(Version(version))) == expected


def test_every_advisory_applies_to_an_old_version() -> None:
    every = [each for identifiers in advisories.FIXED_IN.values() for each in identifiers]
    assert sorted(advisories.affecting(Version("2.12.0"))) == sorted(every)
    assert len(set(every)) == len(every) == 14


def test_a_vulnerable_version_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: "3.14.1")
    found = advisories.finding()
    assert found is not None
    assert (found.status, LAMBDA in found.found) == ("warning", True)
    assert found.remedy == 'Run `python -m pip install "keras>=3.15.1"`.'
    monkeypatch.setattr(metadata, "version", lambda name: "3.15.1")
    found = advisories.finding()
    assert found is not None
    assert (found.status, found.found) == ("ok", "3.15.1, no known vulnerabilities")


def test_the_project_requires_a_safe_version() -> None:
    assert advisories.affecting(Version(advisories.SAFE)) == ()
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    bounds = [line for line in project["project"]["dependencies"] if line.startswith("keras")]
    assert [line.split(",")[0] for line in bounds] == [f"keras>={advisories.SAFE}"]
