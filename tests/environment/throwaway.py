"""Virtual environments that are quick to create: links to the packages of the running one."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).parents[2]
BUILDS = ("tensorflow", "tensorflow-cpu")


def make(folder: Path, *, tensorflow: bool = True, twice: bool = False) -> str:
    """Create an environment, and return its Python.

    Parameters
    ----------
    tensorflow
        Whether it has TensorFlow.
    twice
        Whether the other TensorFlow package is also recorded, with the same files.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    scheme = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", vars=scheme))
    running = _running_build()
    for name in (running.name, "typer"):
        for entry in Path(str(metadata.distribution(name).locate_file(""))).iterdir():
            is_tensorflow = entry.name == "tensorflow" or entry.name.startswith(
                ("tensorflow-", "tensorflow_cpu-")
            )
            link = site / entry.name
            # A .pth file may lead to the folder that something is left out of.
            if entry.suffix != ".pth" and (tensorflow or not is_tensorflow) and not link.exists():
                link.symlink_to(entry)
    (site / "project.pth").write_text(str(PROJECT))
    record_of_package = metadata.distribution("mnist-tasks")
    if not list(site.glob("mnist_tasks-*.dist-info")):
        info = site / f"mnist_tasks-{record_of_package.version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(record_of_package.read_text("METADATA") or "")
    if twice:
        _record_other(site, running)
    return str(folder / ("Scripts" if sys.platform == "win32" else "bin") / "python")


def _running_build() -> metadata.Distribution:
    for name in BUILDS:
        try:
            return metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
    raise AssertionError("the tests need TensorFlow")


def _record_other(site: Path, running: metadata.Distribution) -> None:
    (other,) = set(BUILDS) - {running.name}
    info = site / f"{other.replace('-', '_')}-{running.version}.dist-info"
    info.mkdir()
    # The real one spells its name with an underscore.
    name = other.replace("-", "_")
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: {running.version}\n"
    )
    lines = (running.read_text("RECORD") or "").splitlines()
    (info / "RECORD").write_text(
        "".join(f"{line}\n" for line in lines if line.startswith("tensorflow/"))
    )
