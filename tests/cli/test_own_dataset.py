"""A data set of one's own, from pictures in folders to a checked and reported model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from mnist_tasks import load_data
from tests import shapes
from tests.json_output import error_of, result_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

    Cli = Callable[..., Run]


def error(done: Run) -> dict[str, str]:
    found: dict[str, str] = error_of(done)
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with pictures and a ``pyproject.toml`` that names them."""
    shapes.write_pictures(tmp_path / "parts")
    return shapes.write_project(
        tmp_path,
        f"{shapes.FOLDERS}\n",
        "[tool.mnist-tasks.contract]\naccuracy_above = 0.5\nperturbed.shift = "
        "{ pixels = 1, accuracy_above = 0.1 }\n",
    )


def test_a_lock_comes_first_and_notices_changes(
    cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.parent)
    for command in ("train", "fetch", "check"):
        done = cli(command, "--dataset", "parts", "--json")
        assert done.returncode == 2
        assert error(done)["remedy"] == "Run `mnist-tasks fetch --dataset parts --lock`."
    before = project.read_text()
    locked = cli("fetch", "--dataset", "parts", "--lock", "--offline")
    assert locked.returncode == 0, locked.stderr
    assert "locked in pyproject.toml" in locked.stderr
    assert project.read_text().startswith(before)
    fetched = result_of(cli("fetch", "--dataset", "parts", "--json"))
    assert [file["source"] for file in fetched["files"]] == ["cache"] * 4

    lacking = ("fetch", "--dataset", "parts", "--from", "nowhere", "--json")
    done = cli(*lacking)  # an error, although the cache is complete
    assert done.returncode == 3
    assert error(done)["reason"] == "data-missing"
    assert cli(*lacking, "--mirror", "https://files.example.com/").returncode == 0

    data = load_data("train", dataset="parts", data=project.parent / "data")
    assert data.images.shape == (96, 20, 24, 3)
    assert sorted(data.labels.tolist()) == sorted(shapes.arrays()["train_labels"].tolist())

    data_dir = ("--data-dir", "elsewhere")
    found = cli("doctor", "--dataset", "parts", *data_dir, "--timeout", "0.1", "--json")
    findings = {each["name"]: each for each in result_of(found)["findings"]}
    assert "0 of 4 verified in elsewhere/parts-" in findings["files"]["found"]
    assert findings["files"]["remedy"] == "Run `mnist-tasks fetch --dataset parts`."
    assert findings["sources"]["found"] == "1 of 1 reachable"

    picture = next((project.parent / "parts" / "test" / "nut").iterdir())
    Image.fromarray(np.zeros((20, 24, 3), np.uint8)).save(picture)
    done = cli("fetch", "--dataset", "parts", "--json")
    assert done.returncode == 3
    assert error(done)["reason"] == "data-changed"
    assert fetched["files"][2]["sha256"] in error(done)["expected"]
    done = cli("fetch", "--dataset", "parts", "--lock")
    assert done.returncode == 0
    assert fetched["files"][2]["sha256"] not in project.read_text()
    assert fetched["files"][1]["sha256"] in project.read_text()


@pytest.mark.slow
def test_the_whole_workflow_follows_the_data_set(cli: Cli, project: Path) -> None:
    mine = ("--dataset", "parts")
    assert cli("fetch", *mine, "--lock").returncode == 0
    too_many = cli("train", *mine, "--limit", "97", "--json")
    assert too_many.returncode == 2
    assert "from 1 to 96, the images of parts" in error(too_many)["expected"]
    settings = ("--set", "batch_size=16", "--set", "ema_momentum=0")
    trained = cli("train", *mine, "--epochs", "4", *settings, "--json")
    assert trained.returncode == 0, trained.stderr
    run = result_of(trained)
    assert run["dataset"]["classes"] == list(shapes.CLASSES)
    assert run["dataset"]["image_shape"] == [20, 24, 3]
    assert "--dataset parts" in run["command"]

    checked = cli("check", "--json")  # the model's run says which data set
    assert checked.returncode == 0, checked.stdout
    check = result_of(checked)["checks"][0]["check"]
    assert check["dataset"]["name"] == "parts"
    assert len(check["metrics"]["confusion"]) == 4
    refused = cli("check", "--dataset", "mnist", "--json")
    assert refused.returncode == 1
    output = result_of(refused)["checks"][0]["check"]["verdict"]["clauses"][2]
    assert output["note"] == "MNIST has 10 classes; name the model's own data set with --dataset"
    assert cli("check", "--json").returncode == 0
    reported = cli("report", "--json")
    tables = result_of(reported)["tables"]
    assert [row["name"] for row in tables["classes"]] == list(shapes.CLASSES)
    assert tables["least_certain_correct"]
    page = (project.parent / result_of(reported)["written"]["html"]).read_text()
    assert 'class="photos color' in page
    assert "No images to show" not in page
    assert "MNIST" not in page
    assert "digit" not in page
    swept = cli("sweep", *mine, "--seeds", "0", *settings, "--set", "epochs=3", "--json")
    assert swept.returncode == 0, swept.stderr
    (row,) = result_of(swept)["ranking"]
    assert row["accuracy"]["mean"] > 0.5
