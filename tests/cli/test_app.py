"""The command line in real processes: exit codes and output."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

import mnist_tasks
from tests import examples
from tests.conftest import SMALL_CLI, restore_ctrl_c
from tests.json_output import error_of, result_of
from tests.server import send, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import CommandLine

    Cli = Callable[..., subprocess.CompletedProcess[str]]

QUICK = ("--epochs", "8", "--batch-size", "32", "--limit", "400")
LOADED = (
    "import sys; {}; print(*sorted({{'tensorflow', 'keras', 'numpy', 'h5py'}} & set(sys.modules)))"
)


def test_help_lists_the_commands_and_the_exit_codes(cli: Cli) -> None:
    done = cli("--help")
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in ("fetch", "train", "check", "report"))
    assert "1 the contract did not pass" in done.stdout
    assert cli("--version").stdout == f"mnist-tasks {mnist_tasks.__version__}\n"


@pytest.mark.parametrize(
    ("command", "default"),
    [
        ("sweep", "Recipe to train, as in `train`; repeatable [default: default]"),
        ("sweep", "0,3,7-9 [default: 0-4]"),
        ("train", "[default: all cores]"),
        ("check", "[default: model_latest.h5]"),
        ("false-alarms", "[default: the one that `check` uses]"),
        ("report", "[default: latest]"),
    ],
)
def test_help_shows_the_defaults(cli: Cli, command: str, default: str) -> None:
    shown = cli(command, "--help", env={"COLUMNS": "200"}).stdout
    assert default in " ".join(shown.split())


def test_a_character_that_the_encoding_lacks_is_replaced(cli: Cli) -> None:
    done = cli("--help", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert "Exit codes: 0 done, and the contract passed ? 1" in " ".join(done.stdout.split())


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["check", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    run = f"from mnist_tasks.cli.app import app; app({arguments!r}, standalone_mode=False)"
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(run)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == ""


def test_a_cached_fetch_and_a_report_load_nothing_heavy(small_mnist: Path, tmp_path: Path) -> None:
    assert small_mnist.is_dir()
    from mnist_tasks import run_store

    run_store.save(examples.run(checked=examples.check()), tmp_path / "runs")
    script = (
        "from pathlib import Path; from tests import generated;"
        "from mnist_tasks.cli.app import app;"
        f"generated.register(generated.write(Path({str(tmp_path / 'd')!r}), train=9, test=9));"
        "[sys.modules.pop(name) for name in list(sys.modules) if name.startswith('numpy')];"
        f"app(['fetch', '--data-dir', {str(tmp_path / 'd')!r}], standalone_mode=False);"
        f"app(['report', '--no-html', '--runs', {str(tmp_path / 'runs')!r}], standalone_mode=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(script)], capture_output=True, text=True, check=True
    )
    assert "already cached, verified" in done.stdout
    assert "The contract passed" in done.stdout
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.slow
def test_the_whole_workflow(small_cli: CommandLine, tmp_path: Path) -> None:
    """Each command in a Python of its own, as for a user."""
    run = partial(small_cli, fresh=True)
    fetched = run("fetch", "--offline")
    assert (fetched.returncode, fetched.stderr) == (0, "")
    assert "already cached, verified" in fetched.stdout

    trained = run("train", *QUICK, "--validation", "100", "--seed", "3", "--json")
    assert trained.returncode == 0
    record = result_of(trained)
    assert record["validation"] == 100
    validated = [f"accuracy {epoch['validation_accuracy']:.2%}" for epoch in record["epochs"]]
    shown = [line for line in trained.stderr.splitlines() if "validation" in line]
    assert [line.split("  ")[-1] for line in shown] == validated
    lines = trained.stderr.splitlines()
    assert lines
    assert all(line.startswith("epoch ") for line in lines), trained.stderr
    model = tmp_path / "model_latest.h5"
    assert record["model"]["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert json.loads((tmp_path / "runs" / record["id"] / "run.json").read_bytes()) == record

    checked = run("check")
    assert checked.returncode in (0, 1)
    assert checked.stderr == ""
    assert "parameters: 23,818 in total" in checked.stdout
    for clause in ("parameters", "input shape", "output shape", "test accuracy"):
        assert f"  {clause} " in checked.stdout

    reported = run("report", "--json")
    assert reported.returncode == 0
    latest = result_of(reported)["run"]
    assert latest["id"] == record["id"]
    metrics = latest["check"]["metrics"]
    assert sum(map(sum, metrics["confusion"])) == 128
    right = sum(metrics["confusion"][digit][digit] for digit in range(10))
    assert f"{right / 128:.2%}" in checked.stdout
    assert latest["check"]["verdict"]["clauses"][3]["found"] == f"{right / 128:.2%}"
    holds = all(each["status"] == "passed" for each in latest["check"]["verdict"]["clauses"])
    assert holds == (checked.returncode == 0)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(small_cli: Cli) -> None:
    hashes = []
    for seed in ("7", "7", "8"):
        done = small_cli("train", "--limit", "200", "--seed", seed, "--json")
        hashes.append(result_of(done)["model"]["sha256"])
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.slow
def test_missing_data_is_fetched_unless_offline(small_cli: Cli, cli: Cli, tmp_path: Path) -> None:
    offline = cli("train", "--offline", "--json")
    assert offline.returncode == 4
    assert "no source was allowed" in error_of(offline)["found"]
    assert not (tmp_path / "model_latest.h5").exists()

    done = small_cli("train", "--data-dir", tmp_path / "empty", "--mirror", "http://127.0.0.1:9/")
    assert done.returncode == 4
    assert "connection refused" in done.stderr


@pytest.mark.slow
def test_ctrl_c_leaves_the_previous_model_intact(tmp_path: Path) -> None:
    model = tmp_path / "model_latest.h5"
    model.write_bytes(b"the previous model")
    command = [
        sys.executable,
        str(SMALL_CLI),
        str(tmp_path / "data"),
        "train",
        "--epochs",
        "1000",
        "--force",
    ]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "MNIST_TASKS_DATA": str(tmp_path / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=restore_ctrl_c,
    )
    assert process.stderr is not None
    assert "epoch" in process.stderr.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "Interrupted. Every file on disk is complete" in stderr
    assert "Traceback" not in stderr
    assert model.read_bytes() == b"the previous model"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "model_latest.h5", "runs"]
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        (("train", "--recipe", "pancakes"), "--recipe"),
        (("train", "--epochs", "-1"), "--epochs"),
        (("train", "--batch-size", "0"), "--batch-size"),
        (("train", "--learning-rate", "nan"), "--learning-rate"),
        (("train", "--device", "tpu"), "--device"),
        (("train", "--output", "model.pkl"), "--output"),
        (("fetch", "--source", "yann"), "--source"),
        (("fetch", "--mirror", "ftp://x/"), "--mirror"),
        (("fetch", "--source", "npm", "--offline"), "--source"),
        (("train", "--output", "."), "--output"),
        (("runs", "list", "--since", "yesterday"), "--since"),
        (("runs", "list", "--above", "99"), "--above"),
    ],
)
def test_wrong_usage_is_exit_2_and_names_the_option(
    cli: Cli, arguments: tuple[str, ...], subject: str
) -> None:
    done = cli(*arguments, "--json")
    assert done.returncode == 2
    assert error_of(done)["subject"] == subject
    shown = cli(*arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert subject in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("arguments", [("bake",), ("train", "--epochs", "many"), ("fetch", "--x")])
def test_usage_errors_of_typer_are_exit_2_too(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli(*arguments).returncode == 2


@pytest.mark.parametrize("timeout", ["0", "nan", "inf", "1e10"])
def test_a_timeout_that_no_request_can_have_is_wrong_usage(cli: Cli, timeout: str) -> None:
    done = cli("fetch", "--mirror", "http://127.0.0.1:9/", "--timeout", timeout, "--json")
    assert done.returncode == 2
    assert "Invalid value for '--timeout'" in str(error_of(done)["found"])


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "folder"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(b"GIF89a" * 100), "model"),
        (os.mkfifo, ""),
    ],
    ids=["missing", "folder", "empty", "no model", "fifo"],
)
def test_an_invalid_model_is_exit_3(
    small_cli: Cli, tmp_path: Path, make: Callable[[Path], object], found: str
) -> None:
    make(tmp_path / "model_latest.h5")
    done = small_cli("check")
    assert done.returncode == 3
    assert "Input refused" in done.stderr
    assert found in done.stderr.lower()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("body", [b"<html>Please sign in</html>", b"\x1f\x8bnothing", b""])
def test_a_server_with_other_content_is_exit_3(cli: Cli, body: bytes) -> None:
    with serve(lambda request: send(request, body)) as url:
        done = cli("fetch", "--mirror", url, "--timeout", "2", "--json")
    assert done.returncode == 3
    assert url in error_of(done)["found"]


def test_a_path_without_the_data_is_exit_3_and_nothing_is_downloaded(
    cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    requests: list[str] = []
    with serve(lambda request: requests.append(request.path)) as url:
        done = cli("fetch", "--from", "empty", "--json", env={"MNIST_TASKS_MIRROR": url})
        assert done.returncode == 3
        assert error_of(done)["subject"] == "empty"
        assert requests == []
        done = cli("fetch", "--from", "empty", "--mirror", url, "--timeout", "2", "--json")
    assert done.returncode == 3
    assert requests[0] == "/train-images-idx3-ubyte.gz"


def test_no_network_and_no_cache_is_exit_4(cli: Cli, tmp_path: Path) -> None:
    done = cli("fetch", "--mirror", "http://nowhere.invalid/", "--json")
    assert done.returncode == 4
    assert "can't be resolved" in error_of(done)["found"]
    assert "--from" in error_of(done)["remedy"]
    assert {path.name for path in (tmp_path / "data").iterdir()} <= {".lock"}


def test_a_report_without_a_run_is_exit_3_with_a_remedy(cli: Cli) -> None:
    done = cli("report")
    assert done.returncode == 3
    assert "mnist-tasks train" in done.stderr


def test_a_missing_tensorflow_is_exit_4_with_a_remedy(tmp_path: Path) -> None:
    """An import hook simulates a machine without TensorFlow, for the process and its children."""
    (tmp_path / "hidden.py").write_text(
        "import runpy, sys\nsys.modules['tensorflow'] = None\n"
        f"runpy.run_path({str(SMALL_CLI)!r}, run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "hidden.py", str(tmp_path / "data"), "train", "--limit", "10"],
        cwd=tmp_path,
        env={
            **os.environ,
            "MNIST_TASKS_DATA": str(tmp_path / "data"),
            "PYTHONPATH": str(SMALL_CLI.parents[1]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert "not installed" in done.stderr
    assert "pip install" in done.stderr


def test_color_is_for_terminals_unless_it_is_forced(small_cli: Cli) -> None:
    assert "\x1b" not in small_cli("fetch").stdout
    assert "\x1b[" in small_cli("fetch", env={"FORCE_COLOR": "1"}).stdout
    no_color = small_cli("fetch", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert "\x1b[3" not in no_color


def test_a_closed_pipe_does_not_change_the_exit_code(small_cli: Cli, tmp_path: Path) -> None:
    """``mnist-tasks … | true`` must not exit with 1, as if the contract had failed."""
    folder = tmp_path / "data"
    for options in ("", "--json"):
        pipe = f"{sys.executable} {SMALL_CLI} {folder} fetch --data-dir {folder} {options} | true"
        done = subprocess.run(
            ["bash", "-c", f"{pipe}; exit ${{PIPESTATUS[0]}}"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_a_bug_has_its_own_exit_code() -> None:
    script = (
        "from mnist_tasks.cli import app\n"
        "@app.app.command()\n"
        "def slip() -> None: raise ZeroDivisionError\n"
        "app.main(['slip'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("words", [("check",), ("predict", "3.png"), ("export", "m.h5")])
def test_a_deleted_current_folder_is_no_bug(tmp_path: Path, words: tuple[str, ...]) -> None:
    """As a job's workspace is, which another job cleans up."""
    (tmp_path / "gone").mkdir()
    script = (
        "import os\n"
        "from mnist_tasks.cli import start\n"
        "os.rmdir(os.getcwd())\n"
        f"start.main([*{words}, '--json'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path / "gone",
        env={**os.environ, "PYTHONPATH": str(SMALL_CLI.parents[1])},
    )
    assert done.returncode == 4, done.stderr
    assert error_of(done)["subject"] == "the current folder"
    assert "Traceback" not in done.stderr


def test_a_runs_folder_that_is_not_a_folder_is_refused_at_once(
    small_cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    for command in ("report", "runs"):
        done = small_cli(command, "--runs", "file", "--json")
        assert done.returncode == 3
        assert "folder" in error_of(done)["expected"]
    done = small_cli("train", "--runs", "file", "--json")
    assert done.returncode == 4
    assert not (tmp_path / "model_latest.h5").exists()


@pytest.mark.parametrize("name", ["a" * 300, "none"])
def test_an_unknown_run_is_refused(small_cli: Cli, name: str) -> None:
    done = small_cli("runs", "show", name, "--json")
    assert done.returncode == 3
    assert error_of(done)["subject"]
