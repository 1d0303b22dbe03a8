"""Required versions of Python and of packages, against those that are installed."""

from __future__ import annotations

import platform
from importlib import metadata

import pytest
from packaging.specifiers import SpecifierSet

from mnist_tasks.environment import packages


@pytest.mark.parametrize(
    ("version", "specifier", "allowed"),
    [
        ("2.21.0", ">=2.21,<2.22", True),
        ("2.21", ">=2.21.0", True),
        ("2.21.0rc0", ">=2.21", False),
        ("2.21.1rc0", ">=2.21", True),
        ("2.22.0rc1", "<2.22,>=2.21", False),
        ("2.9.0", ">=2.21", False),
        ("2.21.0+nv25.1", ">=2.21,<2.22", True),
        ("3.15.1", "<3.16,>=3.13", True),
        ("1.2.0", "==1.2", True),
        ("1.2.1", "==1.2", False),
        ("1.2.1", "==1.2.*", True),
        ("1.2.0", "!=1.2", False),
        ("1.2.1", "!=1.2", True),
        ("1.4", "~=1.2", True),
        ("2.0", "~=1.2", False),
        ("3.13.0+", ">=3.11,<3.14", True),
        ("anything", "", True),
        ("anything", ">=1", False),
    ],
)
def test_versions_meet_specifiers_as_pip_reads_them(
    version: str, specifier: str, allowed: bool
) -> None:
    assert packages.is_allowed(version, SpecifierSet(specifier)) == allowed


def test_the_requirements_are_those_of_the_project() -> None:
    assert packages.requirements()["tensorflow"] == SpecifierSet(">=2.21,<2.22")
    assert "ray" not in packages.requirements()
    assert packages.is_allowed("3.13.1", packages.supported_python())


def test_markers_decide_which_packages_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "one>=1",
        "two[x]>=2; python_version >= '3.0'",
        "three; sys_platform == 'plan9'",
        "four>=4; extra == 'gpu'",
        "five; (sys_platform == 'linux' or sys_platform != 'linux') and extra == 'gpu'",
    ]
    monkeypatch.setattr(metadata, "requires", lambda name: lines)
    expected = {"one": SpecifierSet(">=1"), "two": SpecifierSet(">=2")}
    assert packages.requirements() == expected


def test_a_missing_dependency_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["tensorflow>=99", "typer>=0.15", "no-such-package>=1"]
    monkeypatch.setattr(metadata, "requires", lambda name: lines)
    found = packages.dependencies()
    assert found.status == "error"
    assert found.found == "1 of 2 installed: no-such-package is missing"
    monkeypatch.setattr(metadata, "requires", lambda name: ["typer<0.1"])
    assert packages.dependencies().status == "warning"
    monkeypatch.setattr(metadata, "requires", lambda name: ["typer>0.1"])
    assert packages.dependencies().status == "ok"


def test_an_unsupported_python_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert packages.python().status == "ok"
    for version in ("3.10.14", "3.14.0"):
        monkeypatch.setattr(platform, "python_version", lambda version=version: version)
        found = packages.python()
        assert found.status == "error"
        assert str(packages.supported_python()) in found.found
