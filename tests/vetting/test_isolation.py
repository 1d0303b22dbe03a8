"""What the child says of its confinement is shown, believed once, and can be required."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks.check_records import Protection
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.isolation import landlock, protections
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.process import child_process
from tests.conftest import SMALL_CLI
from tests.json_output import result_of
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

ON = [{"name": name, "status": "on", "detail": "kernel"} for name in protections.NAMES]
CONFINED = json.dumps({"type": "confined", "protections": ON})
STAGE = '{"type": "stage", "name": "vet"}'
RESULT = '{"type": "static", "layers": ["Dense"], "weights": 7}'
PROJECT = Path(__file__).parents[2]

needs_landlock = pytest.mark.skipif(sys.platform != "linux", reason="Landlock is part of Linux")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.h5"
    path.write_bytes(handmade.write_h5(handmade.small()))
    return path


def has_landlock() -> bool:
    try:
        return bool(landlock.version())
    except OSError:
        return False


def without_landlock(*command: str | Path, folder: Path) -> Run:
    """Run a command where the kernel has no Landlock."""
    boot = f"""if True:
        import os, sys
        sys.path.insert(0, {str(PROJECT)!r})
        from tests.vetting.isolation import attempts
        attempts.block({{"landlock": {errno.ENOSYS}}})
        os.execv(sys.argv[1], sys.argv[1:])
    """
    return subprocess.run(
        [sys.executable, "-c", boot, sys.executable, *map(str, command)],
        cwd=folder,
        env={**os.environ, "MNIST_TASKS_DATA": str(folder / "data")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )


def test_the_child_reports_each_protection(model: Path) -> None:
    vetted = sandbox.vet(model)
    assert tuple(each.name for each in vetted.protections) == protections.NAMES
    assert all(each.detail for each in vetted.protections)
    lacking = [each.name for each in protections.missing(vetted.protections)]
    if sys.platform == "linux" and has_landlock():
        assert not lacking
    else:
        assert lacking


@pytest.mark.parametrize(
    "lines",
    [
        [RESULT],
        [STAGE, RESULT],
        [STAGE, CONFINED, RESULT],
        [CONFINED, CONFINED, STAGE, RESULT],
        [CONFINED, STAGE, CONFINED, RESULT],
        [json.dumps({"type": "confined", "protections": []}), STAGE, RESULT],
        [json.dumps({"type": "confined", "protections": ON[1:]}), STAGE, RESULT],
        [json.dumps({"type": "confined", "protections": [*ON, ON[0]]}), STAGE, RESULT],
        [CONFINED.replace('"on"', '"of course"'), STAGE, RESULT],
    ],
)
def test_the_child_reports_once_before_it_reads_the_file(
    lines: list[str], model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "_BOOT", f"print({chr(10).join(lines)!r})")
    with pytest.raises(InputRefusedError, match="did not return a valid result"):
        sandbox.vet(model)


def test_what_the_child_reports_is_printable(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    escape = CONFINED.replace("kernel", "\\u001b[2J")
    monkeypatch.setattr(child_process, "_BOOT", f"print({chr(10).join([escape, RESULT])!r})")
    assert all(each.detail == r"\x1b[2J" for each in sandbox.vet(model).protections)


# What code in a file would do if it got past the static check, from inside of it.
_ATTACK = """
import os, socket
from pathlib import Path
from mnist_tasks.vetting import child_main
from mnist_tasks.vetting.untrusted_text import RefusedError

def attack(data, **_):
    attempts = {{
        "fork": os.fork,
        "socket": socket.socket,
        "write": lambda: open({folder!r} + "/written", "w"),
        "read": lambda: open({folder!r} + "/model.h5").close(),
        "environment": lambda: open("/proc/{parent}/environ").close(),
        "supervisor": lambda: open(f"/proc/{{os.getppid()}}/mem").close(),
        "own folder": lambda: open("written", "w").close(),
    }}
    came_of_it = []
    for name, attempt in attempts.items():
        try:
            attempt()
            came_of_it.append(name)
        except PermissionError:
            pass
    raise RefusedError("done: " + ", ".join(came_of_it))

child_main.vet_bytes = attack
"""


@needs_landlock
def test_the_child_is_confined_when_it_reads_the_file(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_landlock():
        pytest.skip("this kernel has no Landlock")
    attack = _ATTACK.format(folder=str(tmp_path), parent=os.getpid())
    monkeypatch.setattr(child_process, "_BOOT", attack + child_process._BOOT)
    with pytest.raises(InputRefusedError) as caught:
        sandbox.vet(model)
    assert caught.value.found == "done: own folder"
    assert not (tmp_path / "written").exists()


@needs_landlock
@pytest.mark.parametrize("data", [None, b"\x89HDF\r\n\x1a\nand nothing else"])
def test_required_isolation_comes_before_the_file(data: bytes | None, model: Path) -> None:
    if data is not None:
        model.write_bytes(data)
    vet = ("-m", "mnist_tasks", "vet", "--json", model)
    found = without_landlock(*vet, "--require-isolation", folder=PROJECT)
    assert found.returncode == 4
    error = result_of(found)["models"][0]["error"]
    assert error["reason"] == "isolation-unavailable"
    assert "no-writes-outside is not available (Landlock: " in error["found"]
    assert "no-reads-outside" not in error["found"]
    assert without_landlock(*vet, folder=PROJECT).returncode == (0 if data is None else 3)


def test_the_child_does_not_read_the_file_either(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not wait for the parent to end it."""
    reading = f"""
from mnist_tasks.check_records import Protection
from mnist_tasks.vetting import child_main
from mnist_tasks.vetting.isolation import confinement
from mnist_tasks.vetting.isolation.protections import NAMES
off = tuple(Protection(name=name, status="off", detail="test") for name in NAMES)
confinement.confine = lambda *_, **__: off
child_main.vet_bytes = lambda *_, **__: open({str(tmp_path / "read")!r}, "w")
"""
    monkeypatch.setattr(child_process, "_BOOT", reading + child_process._BOOT)
    monkeypatch.setattr(protections, "require", lambda *_: None)
    with pytest.raises(EnvironmentProblemError):
        sandbox.vet(model, limits=Limits(require_isolation=True))
    assert not (tmp_path / "read").exists()


@needs_landlock
def test_the_table_says_what_is_not_on(model: Path) -> None:
    found = without_landlock("-m", "mnist_tasks", "vet", model, folder=PROJECT)
    text = " ".join(found.stdout.replace("│", "").split())
    assert f"of {len(protections.NAMES)} protections on; no-writes-outside is not available" in text


@needs_landlock
def test_check_requires_isolation(model: Path, tmp_path: Path) -> None:
    command = (SMALL_CLI, tmp_path / "data", "check", model, "--json", "--require-isolation")
    found = without_landlock(*command, folder=tmp_path)
    assert found.returncode == 4, found.stderr
    error = result_of(found)["checks"][0]["error"]
    assert error["reason"] == "isolation-unavailable"


@needs_landlock
@pytest.mark.parametrize("words", [("demo", "--model"), ("export", "--format", "saved-model")])
def test_what_uses_a_model_requires_isolation(
    words: tuple[str, ...], model: Path, tmp_path: Path
) -> None:
    command: tuple[str | Path, ...] = (*words, model, "--json", "--require-isolation")
    found = without_landlock(SMALL_CLI, tmp_path / "data", *command, folder=tmp_path)
    assert found.returncode == 4, found.stderr
    assert json.loads(found.stdout)["error"]["reason"] == "isolation-unavailable"


@pytest.mark.slow
def test_check_reports_each_protection(model: Path, small_cli: Callable[..., Run]) -> None:
    found = small_cli("check", model, "--json")
    check: dict[str, Any] = result_of(found)["checks"][0]["check"]
    assert [each["name"] for each in check["protections"]] == list(protections.NAMES)


def test_only_essential_protections_are_required() -> None:
    def report(**statuses: Any) -> list[Protection]:
        return [
            Protection(name=name, status=statuses.get(name.replace("-", "_"), "on"), detail="x")
            for name in protections.NAMES
        ]

    assert not protections.missing(report(no_reads_outside="off", ends_with_parent="off"))
    for name in protections.ESSENTIAL:
        for status in ("off", "not available"):
            lacking = protections.missing(report(**{name.replace("-", "_"): status}))
            assert [each.name for each in lacking] == [name]
