"""The command ``false-alarms`` on a real sweep of small runs."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.json_output import error_of, result_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Cli = Callable[..., subprocess.CompletedProcess[str]]

QUICK = ("--limit", "400", "--set", "batch_size=32", "--set", "epochs=4", "--offline")


@pytest.mark.slow
@pytest.mark.parametrize(("more", "images"), [((), 85), (("--test",), 128)])
def test_every_model_is_checked_against_the_contract(
    small_cli: Cli, tmp_path: Path, more: tuple[str, ...], images: int
) -> None:
    words = ("sweep", "--seeds", "0-2", *QUICK, *more, "--output", "swept", "--json")
    swept = small_cli(*words, env={"MNIST_TASKS_RUNS": "ours"})
    assert swept.returncode == 0, swept.stderr
    ranking = result_of(swept)["ranking"]
    terms = "accuracy_above = 0.97\nbytes_below = 1000000\nlatency_below_ms = 60000\n"
    (tmp_path / "contract.toml").write_text(terms)
    arguments = (
        "false-alarms",
        "swept",
        "--contract",
        "contract.toml",
        "--rate",
        "0.1",
        "--offline",
    )
    done = small_cli(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    result = result_of(done)
    assert (result["images"], result["target_rate"]) == (images, 0.1)
    (setting,) = result["settings"]
    assert setting["setting"] == "default batch_size=32 epochs=4"
    accuracy = next(each for each in setting["clauses"] if each["name"] == "test accuracy")
    # The check finds what the sweep found.
    assert accuracy["found"]["mean"] == pytest.approx(ranking[0]["accuracy"]["mean"])
    assert accuracy["found"]["least"] == pytest.approx(ranking[0]["accuracy"]["least"])
    expected = sum(each <= 0.97 for each in _accuracies(tmp_path / "swept"))
    assert accuracy["alarms"] == setting["clauses"][-1]["alarms"] == expected

    assert setting["detected"][0]["name"] == "test accuracy"
    assert setting["detected"][0]["drop_50"] <= setting["detected"][0]["drop_90"]
    assert [each["name"] for each in result["decided"]] == ["latency"]
    assert result["missing_runs"] == 0
    # Only test images are counted, and those of the sweep once.
    looks = result_of(swept)["looks"]
    assert looks == (None if not more else looks | {"models": 3, "recipes": 1, "images": 128})
    assert (tmp_path / "ours" / "test-set.jsonl").exists() == bool(more)
    assert not (tmp_path / "runs").exists()

    shutil.rmtree(next((tmp_path / "swept").glob("default-*-1")))
    shown = small_cli(*arguments, env={"COLUMNS": "80", "NO_COLOR": "1"})
    assert "Not counted: 1 run without a model." in shown.stdout
    assert "bound at 0.1" in shown.stdout
    assert "images to halve" in shown.stdout
    assert "Can't fail: latency < 60000 ms" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "\x1b" not in shown.stdout


def _accuracies(folder: Path) -> list[float]:
    found = []
    for path in folder.glob("*/run.json"):
        confusion = json.loads(path.read_bytes())["trial"]["metrics"]["confusion"]
        found.append(sum(row[i] for i, row in enumerate(confusion)) / sum(map(sum, confusion)))
    assert len(found) == 3
    return found


@pytest.mark.slow
def test_a_model_of_another_run_is_refused(small_cli: Cli, tmp_path: Path) -> None:
    swept = small_cli("sweep", "--seeds", "0,1", *QUICK, "--output", "swept")
    assert swept.returncode == 0, swept.stderr
    first, second = sorted((tmp_path / "swept").glob("*/model.h5"))
    first.write_bytes(second.read_bytes())
    done = small_cli("false-alarms", "swept", "--offline", "--json")
    assert done.returncode == 3
    assert error_of(done)["found"] == "another model"
    first.unlink()
    done = small_cli("false-alarms", "swept", "--offline", "--json")
    assert done.returncode == 3
    error = error_of(done)
    assert error["subject"] == str(first.relative_to(tmp_path))
    assert "Rerun the sweep" in error["remedy"]


def test_a_folder_without_a_sweep_is_refused(cli: Cli, tmp_path: Path) -> None:
    done = cli("false-alarms", str(tmp_path), "--offline", "--json")
    assert done.returncode == 3
    assert "mnist-tasks sweep" in error_of(done)["remedy"]
    assert cli("false-alarms", str(tmp_path), "--rate", "2", "--json").returncode == 2


@pytest.mark.parametrize("arguments", [(), ("swept", "--rate", "0.1")])
def test_the_old_name_of_the_command_is_refused(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli("calibrate", *arguments, "--json")
    assert done.returncode == 2
    error = error_of(done)
    assert error["remedy"] == "It is now called `mnist-tasks false-alarms`."
    assert "calibrate" not in cli("--help").stdout
