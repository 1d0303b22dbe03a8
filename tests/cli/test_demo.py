"""``demo`` in real processes."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks.vetting.trial import SAMPLE
from tests.json_output import error_of, result_of
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Cli = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.slow  # starts TensorFlow in the sandbox


def model_in(page: str) -> dict[str, Any]:
    data = page.partition('<script type="application/json" id="model">')[2]
    found: dict[str, Any] = json.loads(data.partition("</script>")[0])
    return found


def test_a_page_with_test_images(small_cli: Cli, tmp_path: Path) -> None:
    shutil.copy(SAMPLE, tmp_path / "model_latest.h5")
    done = small_cli("demo", "--output", "pages/try.html", "--json")
    assert done.returncode == 0, done.stderr
    found = result_of(done)
    page = (tmp_path / "pages" / "try.html").read_text(encoding="utf-8")
    assert found["bytes"] == len(page.encode())
    assert found["draws"] is True
    assert found["images"] == 128
    assert 0 < found["wrong"] < 128  # its weights are random
    assert f"{1 - found['wrong'] / 128:.2%} of 128 test images" in page
    assert page.count('name="example"') > 40
    assert [each["kind"] for each in model_in(page)["operations"]] == [
        "pooling",
        "reshape",
        "dense",
        "activation",
    ]


def test_a_page_without_test_images(cli: Cli, tmp_path: Path) -> None:
    done = cli("demo", "--model", SAMPLE)
    assert done.returncode == 0, done.stderr
    assert "The page has no test images" in done.stderr
    assert done.stdout.startswith("page: demo.html (")
    assert 'name="example"' not in (tmp_path / "demo.html").read_text(encoding="utf-8")


def test_a_page_where_the_test_images_cant_be_read(small_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "other" / "t10k-images-idx3-ubyte").mkdir(parents=True)
    done = small_cli("demo", "--model", SAMPLE, "--data-dir", "other")
    assert done.returncode == 0, done.stderr
    assert "The page has no test images" in done.stderr


def test_a_model_with_other_layers_is_refused_with_their_names(cli: Cli, tmp_path: Path) -> None:
    between = handmade.layer("LeakyReLU", "leaky", negative_slope=0.1)
    (tmp_path / "other.h5").write_bytes(handmade.write_h5(handmade.small(between)))
    done = cli("demo", "--model", "other.h5", "--json")
    assert done.returncode == 3
    error = error_of(done)
    assert error["found"] == "LeakyReLU"
    assert "Conv2D" in error["expected"]
    assert error["reason"] == "model-unsupported"
    assert not (tmp_path / "demo.html").exists()


def test_the_model_is_not_overwritten(cli: Cli, tmp_path: Path) -> None:
    shutil.copy(SAMPLE, tmp_path / "model.h5")
    done = cli("demo", "--model", "model.h5", "--output", "model.h5")
    assert done.returncode == 2
    assert "a file of its own" in done.stderr
    assert (tmp_path / "model.h5").read_bytes() == SAMPLE.read_bytes()


def test_the_model_of_a_project(small_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.mnist-tasks]\noutput = "ours/digits.h5"\n')
    (tmp_path / "ours").mkdir()
    shutil.copy(SAMPLE, tmp_path / "ours" / "digits.h5")
    done = small_cli("demo", "--json")
    assert done.returncode == 0, done.stderr
    assert result_of(done)["path"] == "demo.html"
    assert result_of(done)["model"]["path"] == "ours/digits.h5"
