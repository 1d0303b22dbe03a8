"""Each protection that is reported as on holds, for root and others, whatever else is missing."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import mnist_tasks
from mnist_tasks.vetting.isolation import confinement, landlock, protections, resources
from mnist_tasks.vetting.limits import DEFAULT

if sys.platform != "linux":
    pytest.skip("only Linux confines the process", allow_module_level=True)

SCRIPT = Path(__file__).with_name("attempts.py")
AS_ROOT = pytest.param(
    False,
    id="root",
    marks=pytest.mark.skipif(os.geteuid() != 0, reason="these tests don't run as root"),
)
WHO = [AS_ROOT, pytest.param(True, id="user")]
WITHOUT = {
    "nothing": {},
    "namespaces": {"namespaces": errno.EPERM},
    "landlock": {"landlock": errno.ENOSYS},
    "landlock-refused": {"landlock": errno.EPERM},
    "seccomp": {"seccomp": errno.EINVAL},
    "namespaces-and-landlock": {"namespaces": errno.EPERM, "landlock": errno.ENOSYS},
    "all": {"namespaces": errno.EPERM, "landlock": errno.ENOSYS, "seccomp": errno.EINVAL},
}


def attempt(*, ordinary: bool, without: str = "nothing", **options: Any) -> dict[str, Any]:
    """Return what `attempts` found in a process of its own."""
    return _attempt(json.dumps({"ordinary": ordinary, "blocked": WITHOUT[without], **options}))


@cache
def _attempt(circumstances: str) -> dict[str, Any]:
    given = {
        "confined": True,
        "path": [],
        "landlock": None,
        "threads": 0,
        **json.loads(circumstances),
    }
    run = subprocess.run(
        [sys.executable, str(SCRIPT), json.dumps(given)],
        env={**os.environ, "PYTHONPATH": str(Path(mnist_tasks.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def statuses(found: dict[str, Any]) -> dict[str, str]:
    return {name: each["status"] for name, each in found["protections"].items()}


def landlock_version() -> int:
    try:
        return landlock.version()
    except OSError:
        return 0


needs_landlock = pytest.mark.skipif(not landlock_version(), reason="this kernel has no Landlock")


@pytest.mark.parametrize("ordinary", WHO)
@pytest.mark.parametrize("without", WITHOUT)
def test_what_is_on_holds(ordinary: bool, without: str) -> None:
    """No attempt gets past a protection that is on; TensorFlow's needs are met in any case."""
    found = attempt(ordinary=ordinary, without=without)
    for name, status in statuses(found).items():
        if status == "on":
            assert "done" not in found["attempts"][name].values(), (name, found["attempts"][name])
    assert set(found["attempts"]["needed"].values()) == {"done"}


@needs_landlock
@pytest.mark.parametrize("ordinary", WHO)
@pytest.mark.parametrize("without", ["nothing", "namespaces"])
def test_all_protections_are_on(ordinary: bool, without: str) -> None:
    found = attempt(ordinary=ordinary, without=without)
    assert statuses(found) == dict.fromkeys(protections.NAMES, "on")
    assert set(found["attempts"]["seccomp"].values()) <= {"EPERM", "ENOSYS"}
    namespace = "network namespace" in found["protections"][protections.NETWORK]["detail"]
    assert not (namespace and without == "namespaces")


@pytest.mark.parametrize("ordinary", WHO)
@pytest.mark.parametrize(
    ("without", "expected"),
    [
        (
            "landlock",
            {protections.WRITES: "not available", protections.READS: "not available"},
        ),
        ("landlock-refused", {protections.WRITES: "off", protections.READS: "off"}),
        (
            "seccomp",
            {
                protections.PROCESSES: "not available",
                protections.WRITES: "not available",
                protections.OTHERS: "not available",
                protections.PARENT: "not available",
            },
        ),
        (
            "all",
            {
                protections.PROCESSES: "not available",
                protections.NETWORK: "off",
                protections.WRITES: "not available",
                protections.READS: "not available",
                protections.OTHERS: "not available",
                protections.PARENT: "not available",
            },
        ),
    ],
)
def test_what_is_missing_is_reported(
    ordinary: bool, without: str, expected: dict[str, str]
) -> None:
    found = statuses(attempt(ordinary=ordinary, without=without))
    if "landlock" not in without and not landlock_version():
        pytest.skip("this kernel has no Landlock")
    others = (protections.NETWORK, protections.OTHERS)  # the rest may replace what is missing
    for name in protections.NAMES:
        if name in expected or name not in others:
            assert found[name] == expected.get(name, "on"), name


@pytest.mark.parametrize("ordinary", WHO)
def test_each_attempt_works_without_confinement(ordinary: bool) -> None:
    """So that it is the confinement that the other tests see."""
    found = attempt(ordinary=ordinary, confined=False)["attempts"]
    privileged = {protections.PRIVILEGES} if ordinary else set()
    # A container may refuse some of what is attempted on other processes.
    for name in {*protections.NAMES, "needed"} - privileged - {protections.OTHERS}:
        assert set(found[name].values()) == {"done"}, (name, found[name])
    assert found[protections.OTHERS]["environment"] == "done"
    assert found["seccomp"]["socket AF_UNIX"] == "done"


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6])
def test_older_versions_of_landlock(version: int) -> None:
    """The rights of an older kernel, asked of this one."""
    if landlock_version() < version:
        pytest.skip(f"this kernel has no Landlock {version}")
    found = attempt(ordinary=True, landlock=version)
    assert statuses(found) == dict.fromkeys(protections.NAMES, "on")
    for name in protections.NAMES:
        assert "done" not in found["attempts"][name].values(), (name, found["attempts"][name])


def test_another_thread_would_not_be_confined() -> None:
    """The kernel confines threads; one that already runs stays as it is."""
    found = attempt(ordinary=True, threads=1)["protections"]
    for name in set(protections.NAMES) - {protections.LIMITS}:
        assert found[name]["status"] == "off"
        assert found[name]["detail"] == "2 threads were running"


def test_other_processes_of_the_user_cannot_read_the_process() -> None:
    assert attempt(ordinary=True)["traceable"] != "done"
    assert attempt(ordinary=True, confined=False)["traceable"] == "done"


@needs_landlock
def test_libraries_that_are_links_stay_readable(tmp_path: Path) -> None:
    """Some package managers link the files of a library to a cache elsewhere."""
    packages, store = tmp_path / "site-packages", tmp_path / "store"
    for folder in (packages / "keras", store):
        folder.mkdir(parents=True)
    (store / "__init__.py").touch()
    (packages / "keras" / "__init__.py").symlink_to(store / "__init__.py")
    found = attempt(ordinary=False, path=[str(packages)])["protections"]
    for name in (protections.READS, protections.WRITES):
        assert found[name]["status"] == "off"
        assert "keras is a link to another folder" in found[name]["detail"]


def test_nothing_is_available_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(resources, "resource", None)
    found = confinement.confine(DEFAULT, parent=os.getppid())
    assert {each.name: each.status for each in found} == dict.fromkeys(
        protections.NAMES, "not available"
    )


@needs_landlock
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read every folder")
def test_root_keeps_what_it_takes_to_read_the_libraries(tmp_path: Path) -> None:
    """As with sudo, and an environment in the private home of a user."""
    home = tmp_path / "home"
    packages = home / "site-packages"
    packages.mkdir(parents=True)
    os.chown(home, 65534, 65534)
    home.chmod(0o700)
    found = attempt(ordinary=False, path=[str(packages)])["protections"]
    assert found[protections.PRIVILEGES]["status"] == "off"
    assert "0x4, to read Python's libraries" in found[protections.PRIVILEGES]["detail"]
    assert {each["status"] for name, each in found.items() if name != protections.PRIVILEGES} == {
        "on"
    }


def test_the_documentation_counts_the_attempts() -> None:
    found = attempt(ordinary=True)["attempts"]
    count = sum(len(attempts) for name, attempts in found.items() if name != "needed")
    text = (Path(__file__).parents[3] / "docs" / "untrusted-models.md").read_text(encoding="utf-8")
    assert f"makes {count} attempts" in text
    assert all(f"| `{name}`" in text for name in protections.NAMES)
