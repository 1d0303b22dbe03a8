"""Which packages bring TensorFlow, and whether they are whole: real folders on Python's path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mnist_tasks.environment import builds, packages, requirements

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.environment.diagnosis import Finding

FILES = {"tensorflow/__init__.py": "first\n", "tensorflow/python/a.py": "a = 1\n"}


def install(
    site: Path, name: str, version: str = "2.21.0", files: dict[str, str] | None = None
) -> None:
    """Write a package as pip would: over whatever is there."""
    files = FILES if files is None else files
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{path},sha256=x,{len(text)}" for path, text in files.items()]
    extra = [
        "tensorflow/__pycache__/a.pyc,,",
        "../../../bin/tf,sha256=x,9",
        f"{info.name}/RECORD,,",
    ]
    (info / "RECORD").write_text("\n".join([*lines, *extra]) + "\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that comes before all others."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def judged(site: Path) -> Finding:
    return packages.tensorflow(builds.installed(), str(site / "tensorflow" / "__init__.py"))


def test_one_whole_package_is_well(site: Path) -> None:
    install(site, "tensorflow")
    install(site, "keras", "3.15.1", {"keras/src/backend/tensorflow/__init__.py": ""})
    found = judged(site)
    assert (found.status, found.found) == ("ok", "tensorflow 2.21.0, all 2 files there")


@pytest.mark.parametrize("other", ["tensorflow_cpu", "tf_nightly", "intel-tensorflow"])
def test_two_packages_at_once_are_a_fault(site: Path, other: str) -> None:
    install(site, "tensorflow")
    install(site, other, files={"tensorflow/__init__.py": "the other\n", "tensorflow/b.py": ""})
    found = judged(site)
    name = other.replace("_", "-")
    assert found.status == "fault"
    assert "at once: they share 1 files and break each other" in found.found
    assert f"pip uninstall -y {' '.join(sorted(('tensorflow', name)))}`" in str(found.remedy)
    assert 'pip install "tensorflow' in str(found.remedy)
    assert "tensorflow 2.21.0: of its 2 files 0 are missing, 1 have another size" in found.details


def test_what_an_uninstallation_left_is_a_fault(site: Path) -> None:
    install(site, "tensorflow")
    (site / "tensorflow/__init__.py").unlink()
    found = judged(site)
    assert found.status == "fault"
    assert found.found == "tensorflow 2.21.0: of its 2 files 1 are missing, 0 have another size"
    assert found.remedy is not None
    assert "--force-reinstall --no-deps tensorflow==2.21.0" in found.remedy


def test_a_file_that_was_overwritten_is_a_warning(site: Path) -> None:
    install(site, "tensorflow")
    (site / "tensorflow/python/a.py").write_text("a = 22\n")
    assert judged(site).status == "warning"


def test_a_package_further_down_the_path_breaks_nothing(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "system", "tensorflow-cpu")
    monkeypatch.syspath_prepend(str(tmp_path / "system"))
    monkeypatch.syspath_prepend(str(site))
    install(site, "tensorflow")
    assert [build.name for build in builds.installed()] == ["tensorflow"]


def test_one_folder_under_two_names_is_one_folder(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "tensorflow")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "tensorflow").symlink_to(site / "tensorflow")
    install(tmp_path / "links", "tensorflow-cpu")
    monkeypatch.syspath_prepend(str(tmp_path / "links"))
    assert len(builds.installed()) == 2


def test_the_remains_of_an_interrupted_installation_are_passed_over(site: Path) -> None:
    install(site, "tensorflow")
    install(site, "~ensorflow", "2.20.0")
    (site / "~ensorflow-2.20.0.dist-info" / "METADATA").unlink()
    assert [str(build) for build in builds.installed()] == ["tensorflow 2.21.0"]


def test_another_version_is_a_warning(site: Path) -> None:
    install(site, "tensorflow", "2.16.1")
    found = judged(site)
    assert found.status == "warning"
    assert requirements.packages()["tensorflow"] in found.found


def test_a_module_that_comes_before_it_is_a_warning(site: Path, tmp_path: Path) -> None:
    install(site, "tensorflow")
    found = packages.tensorflow(builds.installed(), str(tmp_path / "tensorflow.py"))
    assert found.status == "warning"
    assert str(tmp_path / "tensorflow.py") in found.found


def test_none_at_all_is_a_fault_but_for_a_module_that_pip_does_not_know() -> None:
    assert packages.tensorflow((), None).status == "fault"
    assert packages.tensorflow((), "/opt/tensorflow/__init__.py").status == "ok"


def test_a_dependency_that_is_missing_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert packages.dependencies().status == "ok"
    needed = {"tensorflow": ">=99", "typer": ">=0.15", "no-such-package": ">=1"}
    monkeypatch.setattr(requirements, "packages", lambda: dict(needed))
    found = packages.dependencies()
    assert (found.status, found.found) == (
        "fault",
        "1 of 2 installed: no-such-package is missing",
    )
    needed = {"typer": "<0.1"}
    assert packages.dependencies().status == "warning"
