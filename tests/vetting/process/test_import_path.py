"""The vetting process finds the libraries of its parent, and names the one that it can't import."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks import install
from tests.environment import throwaway
from tests.json_output import result_of
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Mapping

# What setuptools installs for an editable package that is not a folder on the path.
HOOK = """
import sys
from importlib.util import spec_from_file_location

class Finder:
    def find_spec(name, path=None, target=None):
        if name == {1!r}:
            return spec_from_file_location(name, {0!r} + "/__init__.py",
                                           submodule_search_locations=[{0!r}])

sys.meta_path.append(Finder)
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.h5"
    path.write_bytes(handmade.write_h5(handmade.small()))
    return path


def vet(
    python: str, model: Path, env: Mapping[str, str | Path], *options: str
) -> tuple[int, dict[str, Any]]:
    """Vet a model with the Python of an environment, in the model's folder."""
    done = subprocess.run(
        [python, *options, "-m", "mnist_tasks", "vet", "--json", model.name],
        cwd=model.parent,
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout, done.stderr
    (result,) = result_of(done)["models"]
    return done.returncode, result.get("error") or result["vetted"]


def packages(python: str) -> Path:
    """Return the folder of an environment's packages."""
    scheme = dict.fromkeys(("base", "platbase"), str(Path(python).parents[1]))
    return Path(sysconfig.get_path("purelib", "venv", vars=scheme))


def as_user(folder: Path) -> tuple[str, Path, dict[str, str]]:
    """Create an environment that has every package in the user's folder: Python, folder, env."""
    python = throwaway.make(folder / "venv")
    config = folder / "venv" / "pyvenv.cfg"
    config.write_text(config.read_text().replace("packages = false", "packages = true"))
    env = {"PYTHONUSERBASE": str(folder / "user")}
    command = [python, "-c", "import site; print(site.getusersitepackages())"]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    user = Path(done.stdout.strip())
    user.parent.mkdir(parents=True)
    packages(python).rename(user)
    return python, user, env


def test_libraries_and_package_in_the_users_folder(tmp_path: Path, model: Path) -> None:
    python, _, env = as_user(tmp_path)
    code, vetted = vet(python, model, env)
    assert (code, vetted["parameters"]) == (0, 170), vetted


def test_a_library_with_an_import_hook_in_the_users_folder(tmp_path: Path, model: Path) -> None:
    python, user, env = as_user(tmp_path)
    source = tmp_path / "source"
    (user / "h5py").rename(source)
    (user / "__editable___h5py_finder.py").write_text(HOOK.format(str(source.resolve()), "h5py"))
    (user / "__editable__.h5py.pth").write_text("import __editable___h5py_finder\n")
    code, vetted = vet(python, model, env)
    assert (code, vetted["parameters"]) == (0, 170), vetted


@pytest.mark.slow
def test_confinement_lets_linked_and_hooked_libraries_be_read(tmp_path: Path) -> None:
    """Unlike h5py, these are imported once the process is confined."""
    python, user, env = as_user(tmp_path)
    assert (user / "tensorflow").is_symlink()
    (user / "keras").unlink()
    spec = importlib.util.find_spec("keras")
    assert spec is not None
    assert spec.origin is not None
    shutil.copytree(Path(spec.origin).parent, tmp_path / "source")
    hook = HOOK.format(str((tmp_path / "source").resolve()), "keras")
    (user / "__editable___keras_finder.py").write_text(hook)
    (user / "__editable__.keras.pth").write_text("import __editable___keras_finder\n")
    script = "from mnist_tasks.vetting import trial; print(trial.finding(loads=True))"
    command = [python, "-c", script]
    env = {**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, **env}
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    assert "status='ok'" in done.stdout, done.stdout
    assert "vetted, loaded and ran" in done.stdout


def test_libraries_in_folders_of_pythonpath(tmp_path: Path, model: Path) -> None:
    python = throwaway.make(tmp_path / "venv")
    packages(python).rename(tmp_path / "libraries")
    path = os.pathsep.join([str(throwaway.PROJECT), str(tmp_path / "libraries")])
    code, vetted = vet(python, model, {"PYTHONPATH": path})
    assert (code, vetted["parameters"]) == (0, 170), vetted


@pytest.mark.parametrize("named", ["", ".", "./", "relative:"])
def test_nothing_is_imported_from_the_folder_of_the_model(
    tmp_path: Path, model: Path, named: str
) -> None:
    """``-m`` puts the current folder on the path, and so does an empty part of PYTHONPATH."""
    for name in ("keras", "h5py"):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w')\nraise ImportError(__file__)")
    code, vetted = vet(sys.executable, model, {"PYTHONPATH": f"{throwaway.PROJECT}:{named}"})
    assert (code, vetted["parameters"]) == (0, 170), vetted
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("name", ["msgspec", "numpy", "h5py"])
@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("raise ImportError('libfoo.so.1: cannot open shared object file')", "libfoo.so.1"),
        ("def broken(:", "SyntaxError"),
        ("__path__ = []; import NAME.missing_part", "missing_part"),
        ("raise ValueError('numpy.dtype size changed')", "size changed"),
    ],
)
def test_a_broken_library_is_named(
    tmp_path: Path, model: Path, name: str, code: str, found: str
) -> None:
    """The main process needs the library, too, unless it is h5py: only the child has this one."""
    (tmp_path / "path").mkdir()
    code = code.replace("NAME", name)
    text = f"import sys\nif sys.flags.isolated:\n    exec({code!r})\n"
    if name != "h5py":
        text += f"else:\n    sys.path.remove({str(tmp_path / 'path')!r})\n"
        text += f"    del sys.modules[{name!r}]\n    import {name}\n"
        text += f"    sys.path.insert(0, {str(tmp_path / 'path')!r})\n"
    (tmp_path / "path" / f"{name}.py").write_text(text)
    path = os.pathsep.join([str(tmp_path / "path"), str(throwaway.PROJECT)])
    exit_code, error = vet(sys.executable, model, {"PYTHONPATH": path})
    assert exit_code == 4, error
    assert (error["subject"], error["reason"]) == (name, "library-broken")
    assert found in error["found"]
    assert f"--force-reinstall --no-deps {name}==" in error["remedy"]


def test_a_missing_library_is_named(tmp_path: Path, model: Path) -> None:
    python = throwaway.make(tmp_path / "venv")
    (packages(python) / "h5py").unlink()
    exit_code, error = vet(python, model, {})
    assert exit_code == 4
    assert (error["subject"], error["reason"]) == ("h5py", "library-broken")
    assert "No module named 'h5py'" in error["found"]
    assert error["remedy"] == f"Run {install.command()}."
