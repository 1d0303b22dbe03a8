"""Files that a command writes: whole, where links lead, and never one over another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Cli = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes links and pipes")


@pytest.mark.parametrize(
    ("command", "subject"),
    [
        ("check model.h5 --junit a --markdown ./a", "--markdown"),
        ("check model.h5 --junit link.h5", "--junit"),
        ("check . --markdown model.h5", "--markdown"),
        ("check model.h5 --contract contract.toml --markdown contract.toml", "--markdown"),
        ("check model.h5 --contract contract.toml --junit baseline.h5", "--junit"),
        ("check model.h5 --junit pyproject.toml", "--junit"),
        ("check model.h5 --junit pipe.h5", "--junit"),
        ("demo --model model.h5 --contract contract.toml -o contract.toml", "--output"),
        ("predict photo.png --model model.h5 --html photo.png", "--html"),
        ("predict photo.png --contract contract.toml --html contract.toml", "--html"),
        ("report --html a --markdown a", "--markdown"),
        ("report RUN/run.json --html RUN/run.json", "--html"),
        ("report --markdown RUN/run.json", "--markdown"),
        ("report --html /dev/stdout", "--html"),
        ("train --output device.h5", "--output"),
        ("train --output pipe.h5", "--output"),
        ("train --output loop.h5", "--output"),
        ("train --output folder.h5", "--output"),
    ],
)
def test_what_must_not_be_overwritten_is_refused_before_the_work(
    command: str, subject: str, cli: Cli, tmp_path: Path, small_mnist: Path
) -> None:
    run = runs.save(tmp_path / "runs", small_mnist)
    (tmp_path / "model.h5").write_text("a model")
    (tmp_path / "baseline.h5").write_text("another model")
    (tmp_path / "photo.png").write_text("a photo")
    (tmp_path / "contract.toml").write_text("baseline = { model = 'baseline.h5' }")
    (tmp_path / "pyproject.toml").write_text("[tool.mnist-tasks.contract]")
    for name, target in {
        "link": "model.h5",
        "device": "/dev/null",
        "loop": "loop.h5",
        "folder": ".",
    }.items():
        (tmp_path / f"{name}.h5").symlink_to(target)
    os.mkfifo(tmp_path / "pipe.h5")
    before = content(tmp_path)
    done = cli(*command.replace("RUN", f"runs/{run.id}").split(), "--json")
    assert done.returncode == 2, done.stdout
    assert json.loads(done.stdout)["error"]["subject"] == subject
    assert content(tmp_path) == before


def content(folder: Path) -> dict[str, bytes]:
    """Return the regular files below a folder, and the links as such."""
    return {
        str(path): os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.mark.slow
def test_a_model_is_written_where_a_link_leads(small_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "model.h5").symlink_to("shared/model.h5")
    for _ in range(2):  # the link leads to nothing, then to the model
        done = small_cli("train", "--limit", "64", "-o", "model.h5")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "model.h5").is_symlink()
        assert [path.name for path in (tmp_path / "shared").iterdir()] == ["model.h5"]
    assert small_cli("vet", "model.h5").returncode == 0
