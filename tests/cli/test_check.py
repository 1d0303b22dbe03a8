"""``check`` and ``vet`` in real processes: files in, files out, one exit code."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from mnist_tasks import disk, looks
from tests.conftest import Run, small_cli_in
from tests.fork_server import ForkServer
from tests.json_output import error_of, result_of
from tests.vetting.crafted import handmade

Cli = Callable[..., Run]


@pytest.mark.parametrize(
    ("text", "key"),
    [("accuracy_above = 95", "accuracy_above"), ("accuracy = 0.9", "accuracy"), ("a =", "")],
)
def test_an_invalid_contract_is_exit_2_before_anything_is_read(
    cli: Cli, tmp_path: Path, text: str, key: str
) -> None:
    (tmp_path / "contract.toml").write_text(text)
    done = cli("check", "--contract", "contract.toml", "--junit", "a.xml", "--offline", "--json")
    assert done.returncode == 2
    assert error_of(done)["subject"].startswith(f"contract.toml: {key}" if key else "contract.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["contract.toml"]


def test_the_contract_in_pyproject_is_used_by_default(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.mnist-tasks.contract]\naccuracy_above = 2\n")
    (tmp_path / "tests").mkdir()
    for folder, name in {"": "pyproject.toml", "tests": "../pyproject.toml"}.items():
        done = cli("check", "--offline", "--json", folder=folder)
        assert done.returncode == 2
        assert error_of(done)["subject"] == f"{name}: accuracy_above"


def test_a_contract_beside_the_model_does_not_count(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "pyproject.toml").write_text("[tool.mnist-tasks.contract]\na = 2\n")
    for command in (("check", "--offline"), ("vet",)):
        done = cli(*command, "theirs/model.h5", "--json")
        assert done.returncode in {3, 4}
        assert "pyproject" not in done.stdout


def test_an_error_is_in_every_requested_file(small_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.h5").write_bytes(b"GIF89a")
    summary = tmp_path / "summary"
    arguments = ("--junit", "out/a.xml", "--markdown", "out/a.md")
    done = small_cli(
        "check",
        "none.h5",
        "bad.h5",
        *arguments,
        "--json",
        env={"GITHUB_STEP_SUMMARY": str(summary)},
    )
    assert done.returncode == 3
    document = result_of(done)
    assert [each["status"] for each in document["checks"]] == ["error", "error"]
    assert document["contract"] is None
    root = ET.fromstring((tmp_path / "out" / "a.xml").read_bytes())  # noqa: S314 - our own
    assert (root.get("tests"), root.get("errors")) == ("2", "2")
    shown = (tmp_path / "out" / "a.md").read_text(encoding="utf-8")
    assert shown.count("Input refused") == 2
    assert summary.read_text(encoding="utf-8") == shown


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory, fork_server: ForkServer) -> Path:
    """A folder with what a training leaves, for each test to copy."""
    folder = tmp_path_factory.mktemp("training")
    done = small_cli_in(folder, fork_server)("train", "--limit", "200")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def run(training: Path, tmp_path: Path) -> Path:
    """The record's folder of a training whose model is `model_latest.h5`."""
    shutil.copytree(training, tmp_path, dirs_exist_ok=True)
    (record,) = (tmp_path / "runs").glob("*/run.json")
    return record.parent


@pytest.mark.slow
def test_each_of_many_models_gets_a_verdict_and_predictions(
    small_cli: Cli, tmp_path: Path, run: Path
) -> None:
    (tmp_path / "contract.toml").write_text("accuracy_above = 0.0\nrequired_layers = ['Dropout']\n")
    arguments = ("model_latest.h5", "none.h5", "--contract", "contract.toml")
    done = small_cli("check", *arguments, "--junit", "a.xml", "--json")
    assert done.returncode == 3, done.stderr
    document = result_of(done)
    assert document["contract"] == "contract.toml"
    assert [each["exit_code"] for each in document["checks"]] == [0, 3]
    assert document["checks"][0]["check"]["contract"] == "contract.toml"
    assert sorted(path.name for path in run.iterdir()) == [
        "model.h5",
        "predictions.npz",
        "run.json",
    ]

    baseline = f"baseline = {{ record = 'runs/{run.name}' }}\n"
    (tmp_path / "contract.toml").write_text(f"accuracy_above = 0\n{baseline}")
    done = small_cli("check", "--contract", "contract.toml", env={"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    assert "0 images regressed, 0 fixed" in done.stdout
    done = small_cli("check")
    assert done.returncode == 1  # 200 images are too few for 95%
    assert "wrong of 128; 6 allowed" in done.stdout
    # One model, three checks and images that the record names by their hash.
    (look,) = looks.read(run.parent)
    assert (look.recipe, look.count) == ("default", 128)
    assert look.images == document["checks"][0]["check"]["test_images"]
    assert look.images == disk.sha256(tmp_path / "data" / "t10k-images-idx3-ubyte")


def test_vet_distinguishes_a_sound_file_from_an_unsafe_one(cli: Cli, tmp_path: Path) -> None:
    sound = tmp_path / "sound.keras"
    sound.write_bytes(handmade.write_keras(handmade.small()))
    unsafe = tmp_path / "unsafe.keras"
    layer = handmade.layer("Lambda", "lambda", function="os.system")
    unsafe.write_bytes(handmade.write_keras(handmade.small(layer)))

    done = cli("vet", sound, unsafe, "--json")
    assert done.returncode == 3
    first, second = result_of(done)["models"]
    assert first["path"] == str(sound)
    assert first["vetted"]["layers"] == ["InputLayer", "AveragePooling2D", "Flatten", "Dense"]
    assert first["vetted"]["parameters"] == 170
    assert "what it predicts" in first["vetted"]["not_checked"]
    assert second["exit_code"] == 3
    assert second["error"]["reason"] == "model-can-run-code"
    assert "Lambda" in second["error"]["found"]

    shown = cli("vet", sound)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Nothing in it runs code or reads other files" in shown.stdout
    assert "what it predicts" in shown.stdout
    refused = cli("vet", unsafe)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "Lambda" in refused.stderr


def test_a_contract_raises_the_size_that_vet_takes(cli: Cli, tmp_path: Path) -> None:
    large = tmp_path / "large.h5"
    weights = {"dense": {"kernel": np.zeros((16, 100_000), "f4"), "bias": np.zeros(100_000, "f4")}}
    model = handmade.small()
    model["config"]["layers"][-1]["config"]["units"] = 100_000
    large.write_bytes(handmade.write_h5(model, weights))
    done = cli("vet", large, "--json")
    assert result_of(done)["models"][0]["error"]["expected"] == "at most 5,000,000 bytes"
    contract = tmp_path / "contract.toml"
    contract.write_text("bytes_below = 8_000_000\n")
    done = cli("vet", large, "--contract", contract, "--json")
    assert result_of(done)["models"][0]["vetted"]["parameters"] == 1_700_000


def test_vet_tells_the_outcomes_apart(cli: Cli, tmp_path: Path) -> None:
    lstm = tmp_path / "lstm.keras"
    layer = handmade.layer("ConvLSTM2D", "recurrent", filters=8)
    lstm.write_bytes(handmade.write_keras(handmade.small(layer)))
    torn = tmp_path / "torn.keras"
    torn.write_bytes(lstm.read_bytes()[:500])
    done = cli("vet", lstm, torn, tmp_path / "missing.keras", "--json")
    errors = [model["error"] for model in result_of(done)["models"]]
    assert done.returncode == 3
    assert [error["reason"] for error in errors] == [
        "model-unsupported",
        "model-unreadable",
        "file-missing",
    ]
    assert "layer 'recurrent' has the class 'ConvLSTM2D'" in errors[0]["found"]
    assert len({error["remedy"] for error in errors}) == len(errors)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_cant_be_read_is_an_error_like_any_other(cli: Cli, tmp_path: Path) -> None:
    secret = tmp_path / "secret.keras"
    secret.touch(mode=0o000)
    done = cli("vet", secret, tmp_path / "missing.keras", "--json")
    first, second = result_of(done)["models"]
    assert done.returncode == 3
    assert first["error"]["found"] == "Permission denied"
    assert second["error"]["found"] == "no such file"
    done = cli("check", "--contract", secret, "--json")
    assert (done.returncode, error_of(done)["title"]) == (2, "Wrong usage")


@pytest.mark.slow
def test_verdicts_are_printed_even_if_no_file_can_be_written(
    small_cli: Cli, tmp_path: Path, run: Path
) -> None:
    """A failure to write the record or a file hides no verdict."""
    (run / "predictions.npz").mkdir()
    (tmp_path / "file").write_bytes(b"")
    done = small_cli("check", "--junit", "file/a.xml", "--markdown", "v.md", "--json")
    assert done.returncode == 4
    assert (tmp_path / "v.md").is_file()  # one that fails does not take the other with it
    (check,) = result_of(done)["checks"]
    assert len(check["check"]["verdict"]["clauses"]) == 4
    assert "predictions.npz" in done.stderr
    assert str(Path("file")) in done.stderr


def test_the_help_names_the_table_of_the_contract(cli: Cli) -> None:
    assert "[tool.mnist-tasks.contract]" in " ".join(cli("check", "--help").stdout.split())


@pytest.mark.parametrize(
    ("command", "name"), [("check", "MODEL"), ("vet", "MODEL"), ("report", "RUN")]
)
def test_the_help_shows_that_a_command_takes_several(cli: Cli, command: str, name: str) -> None:
    usage = f"Usage: mnist-tasks {command} [OPTIONS] [{name}]..."
    assert usage in map(str.strip, cli(command, "--help").stdout.splitlines())
