"""The script or the notebook that a training was started from."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mnist_tasks import code_records
from mnist_tasks.training import user_script


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """A module in the place of the one that Python runs."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    monkeypatch.setattr(sys, "argv", ["", "--epochs", "3 or 4"])
    monkeypatch.chdir(tmp_path)
    return module


def test_a_script_is_kept_with_its_hash(main: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_bytes(b"fit()\n")
    main.__file__ = str(tmp_path / "mine.py")
    script = user_script.find()
    assert script is not None
    assert (script.path, script.text) == ("mine.py", "fit()\n")
    assert script.sha256 == hashlib.sha256(b"fit()\n").hexdigest()
    assert user_script.name(script) == "mine.py"
    assert user_script.command(script) == "python mine.py --epochs '3 or 4'"


def test_a_command_line_is_kept_without_its_passwords(
    main: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    main.__file__ = "mine.py"
    monkeypatch.setattr(sys, "argv", ["", "--data=https://me:secret@host/?key=secret"])
    script = code_records.Script(path="mine.py", sha256="", text="")
    assert user_script.command(script) == "python mine.py '--data=https://***@host/?***'"


def test_of_a_notebook_its_cells_are_kept(
    main: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    main.__dict__["In"] = ["", "import keras", "model.fit()"]
    script = user_script.find()
    assert script is not None
    assert script.text == "import keras\n\nmodel.fit()"
    assert user_script.name(script) == "notebook"
    assert user_script.command(script) == ""
    monkeypatch.setenv("JPY_SESSION_NAME", str(Path.cwd() / "digits.ipynb"))
    script = user_script.find()
    assert user_script.name(script) == "digits.ipynb"


def test_an_interpreter_has_no_script(main: ModuleType) -> None:
    assert user_script.find() is None
    assert user_script.name(None) == "Python"
    assert user_script.command(None) == ""


def test_a_script_that_is_too_long_is_known_by_its_hash(main: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("#" * 200_001)
    main.__file__ = "mine.py"
    script = user_script.find()
    assert script is not None
    assert script.text == ""
    assert script.sha256 == hashlib.sha256(b"#" * 200_001).hexdigest()
