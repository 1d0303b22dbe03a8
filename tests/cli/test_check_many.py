"""``check`` with several models, in real processes: folders, lists, progress, Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from mnist_tasks.vetting.process import supervisor
from tests.conftest import SMALL_CLI, Run, end_group, restore_ctrl_c
from tests.json_output import error_of, result_of
from tests.vetting.crafted import TABLE, handmade

if TYPE_CHECKING:
    from collections.abc import Callable

    Cli = Callable[..., Run]

MINUTE = 60.0


TRAIN_THREE = """
import mnist_tasks, sys
from tests import small_cli
small_cli.register()
for seed in range(3):
    run = mnist_tasks.train(seed=seed, limit=300, output=f"models/{seed}.h5", data=sys.argv[1])
    print(run.id)
"""


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(SMALL_CLI), str(folder / "data"), *arguments]


@pytest.fixture
def junk(tmp_path: Path) -> list[str]:
    """Five files in a folder that are refused before a process starts."""
    names = [f"models/{number}.h5" for number in range(5)]
    (tmp_path / "models").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(b"GIF89a")
    return names


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "temporary").mkdir()
    return {
        **os.environ,
        "MNIST_TASKS_DATA": str(tmp_path / "data"),
        "TMPDIR": str(tmp_path / "temporary"),
    }


def test_a_folder_and_a_list_are_checked_in_their_order(
    small_cli: Cli, tmp_path: Path, junk: list[str], env: dict[str, str]
) -> None:
    done = small_cli("check", "none.h5", "models", "--json")
    assert done.returncode == 3
    assert [each["path"] for each in result_of(done)["checks"]] == ["none.h5", *junk]
    listed = subprocess.run(
        command(tmp_path, "check", "-", "none.h5"),
        cwd=tmp_path,
        env=env,
        input=b"models/4.h5\nmodels\n",
        capture_output=True,
        check=False,
        timeout=10 * MINUTE,
    )
    assert listed.returncode == 3
    rows = [line.split()[0] for line in listed.stdout.decode().splitlines() if ".h5" in line]
    assert rows == [junk[4], *junk, "none.h5"]
    assert listed.stdout.startswith(b"7 models")
    assert listed.stderr.count(b"Input refused") == 7


def test_one_model_needs_no_table(small_cli: Cli, junk: list[str]) -> None:
    done = small_cli("check", junk[0])
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.parametrize("command", ["check", "vet"])
def test_an_empty_folder_is_refused_before_anything_else(
    cli: Cli, tmp_path: Path, command: str
) -> None:
    (tmp_path / "empty").mkdir()
    done = cli(command, "missing.h5", "empty", "--json")
    assert done.returncode == 3
    error = error_of(done)
    assert (error["subject"], error["reason"]) == ("empty", "no-model-files")


def test_vet_takes_folders(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("a/2.keras", "a/b/1.keras"):
        (tmp_path / name).write_bytes(handmade.write_keras(handmade.small()))
    done = cli("vet", "a", "--json")
    assert done.returncode == 0
    assert [each["path"] for each in result_of(done)["models"]] == [*("a/2.keras", "a/b/1.keras")]

    (tmp_path / "a" / "2.keras").write_bytes(b"GIF89a" * 100)
    shown = cli("vet", "a", env={"COLUMNS": "80"})
    assert shown.returncode == 3
    table = shown.stdout[shown.stdout.index("\n2 models") :]
    rows = [line.split() for line in table.splitlines() if ".keras" in line]
    assert [row[:2] for row in rows] == [["a/b/1.keras", "passed"], ["a/2.keras", "error"]]
    assert max(map(len, shown.stdout.splitlines())) <= 80


@pytest.mark.parametrize("forced", [False, True])
def test_progress_is_only_shown_in_a_terminal(
    small_cli: Cli, junk: list[str], *, forced: bool
) -> None:
    """``FORCE_COLOR`` makes no terminal of a pipe."""
    done = small_cli("check", "models", env={"FORCE_COLOR": "1"} if forced else None)
    assert "checking" not in done.stderr
    assert "\x1b[?25l" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_progress_goes_to_standard_error_and_results_to_standard_output(
    tmp_path: Path, junk: list[str], env: dict[str, str]
) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(tmp_path, "check", "models"),
        cwd=tmp_path,
        env={**env, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        while part := _read(ours):
            shown += part
        assert process.stdout is not None
        printed = process.stdout.read()
    os.close(ours)
    assert process.returncode == 3
    assert b"checking" in shown
    assert b"5/5" in shown
    assert shown.count(b"Input refused") == 5
    assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l")  # the cursor is back
    assert b"5 models" in printed
    assert b"\x1b" not in printed


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end was closed
        return b""


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_ctrl_c_ends_every_child_and_checks_no_more(
    tmp_path: Path, small_cli: Cli, env: dict[str, str]
) -> None:
    """Each of these files keeps its child busy for ten seconds, and 20 need 100 at least."""
    row = next(row for row in TABLE if row.name == "endless.h5")
    row.make(tmp_path / row.name, tmp_path / "canary")
    assert small_cli("fetch", "--offline").returncode == 0  # so that only children take time
    with subprocess.Popen(
        command(tmp_path, "check", *[row.name] * 20),
        cwd=tmp_path,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=restore_ctrl_c,
    ) as process:
        try:
            end = time.monotonic() + 10 * MINUTE
            while not (children := supervisor.descendants(process.pid)):
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=MINUTE)
        finally:
            end_group(process)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert children
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.slow
def test_a_result_does_not_depend_on_how_many_models_are_checked(
    small_cli: Cli, tmp_path: Path
) -> None:
    """Predictions are the same to the last bit, also while other models run."""
    contract = "accuracy_above = 0.0\n"
    (tmp_path / "contract.toml").write_text(contract)
    trained = subprocess.run(
        [sys.executable, "-c", TRAIN_THREE, str(tmp_path / "data")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SMALL_CLI.parents[1])},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    ids = trained.stdout.split()
    arguments = ("--contract", "contract.toml", "--json")

    def predictions() -> list[bytes]:
        return [(tmp_path / "runs" / each / "predictions.npz").read_bytes() for each in ids]

    together = result_of(small_cli("check", "models", *arguments))
    found = predictions()
    alone = [result_of(small_cli("check", f"models/{seed}.h5", *arguments)) for seed in range(3)]
    assert predictions() == found
    assert len(set(found)) == 3
    assert [_without_times(each) for each in together["checks"]] == [
        _without_times(each["checks"][0]) for each in alone
    ]


def _without_times(result: dict[str, Any]) -> bytes:
    check = {**result["check"], "seconds": None, "created": None}
    return msgspec.json.encode({**result, "check": check})
