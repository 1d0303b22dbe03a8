"""A library that the command line lacks is an environment problem, never a failed contract."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.environment import throwaway
from tests.json_output import error_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Cli = Callable[..., subprocess.CompletedProcess[str]]


def broken(folder: Path, name: str, code: str) -> dict[str, str]:
    """Create a module that is found before the installed one; return the variables for that."""
    (folder / "path").mkdir()
    (folder / "path" / f"{name}.py").write_text(code)
    path = os.pathsep.join([str(folder / "path"), str(throwaway.PROJECT)])
    return {"PYTHONPATH": path}


@pytest.mark.parametrize("name", ["typer", "msgspec", "rich", "numpy"])
@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("raise ImportError('libfoo.so: no such file')", "--force-reinstall --no-deps {}=="),
        (
            "raise ModuleNotFoundError('no part', name='{}.part')",
            "--force-reinstall --no-deps {}==",
        ),
        ("raise ModuleNotFoundError('none', name='{}')", "pip install"),
    ],
)
def test_a_library_that_cant_be_imported_is_named(
    name: str, code: str, remedy: str, tmp_path: Path, cli: Cli
) -> None:
    (tmp_path / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    done = cli("vet", "model.h5", env=broken(tmp_path, name, code.format(name)))
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert lines[:2] == ["Environment problem", f"where: {name}"]
    assert remedy.format(name) in lines[-1]


def test_the_same_as_json(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    env = broken(tmp_path, "numpy", "raise ImportError('libfoo.so: no such file')")
    done = cli("vet", "model.h5", "--json", env=env)
    error = error_of(done)
    assert done.returncode == 4
    assert (error["subject"], error["reason"]) == ("numpy", "library-broken")


def test_ctrl_c_while_the_command_line_is_loaded(tmp_path: Path, cli: Cli) -> None:
    interruption = "import signal; signal.raise_signal(signal.SIGINT)"
    # Where a shell has made tests ignore Ctrl-C, Python does, too.
    handled = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    env = broken(tmp_path, "typer", f"{handled}\n{interruption}")
    done = cli("vet", "model.h5", env=env)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "Interrupted. Every file on disk is complete.\n"
    done = cli("vet", "model.h5", "--json", env=env)
    assert (done.returncode, done.stderr) == (130, "")
    assert error_of(done)["reason"] == "interrupted"
