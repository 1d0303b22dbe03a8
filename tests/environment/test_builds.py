"""Whether TensorFlow's packages are intact: real folders on Python's path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mnist_tasks.environment import builds, packages

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.environment.diagnosis import Finding

FILES = {"tensorflow/__init__.py": "first\n", "tensorflow/python/a.py": "a = 1\n"}


def install(
    site: Path, name: str, version: str = "2.21.0", files: dict[str, str] | None = None
) -> None:
    """Write a package as pip does, over the files of others."""
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
    """A folder of packages that is first on Python's path."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def diagnose(site: Path) -> Finding:
    return builds.finding(builds.installed(), str(site / "tensorflow" / "__init__.py"))


def test_one_intact_package_is_ok(site: Path) -> None:
    install(site, "tensorflow")
    install(site, "keras", "3.15.1", {"keras/src/backend/tensorflow/__init__.py": ""})
    found = diagnose(site)
    assert (found.status, found.found) == ("ok", "tensorflow 2.21.0, all 2 files intact")


@pytest.mark.parametrize("other", ["tensorflow_cpu", "tf_nightly", "intel-tensorflow"])
def test_two_packages_at_once_are_an_error(site: Path, other: str) -> None:
    install(site, "tensorflow")
    install(site, other, files={"tensorflow/__init__.py": "the other\n", "tensorflow/b.py": ""})
    found = diagnose(site)
    name = other.replace("_", "-")
    assert found.status == "error"
    assert "are installed together: they share 1 files and break each other" in found.found
    assert f"pip uninstall -y {' '.join(sorted(('tensorflow', name)))}`" in str(found.remedy)
    assert 'pip install "tensorflow' in str(found.remedy)
    assert "tensorflow 2.21.0: of 2 files, 0 are missing and 1 have another size" in found.details


def test_missing_files_are_an_error(site: Path) -> None:
    install(site, "tensorflow")
    (site / "tensorflow/__init__.py").unlink()
    found = diagnose(site)
    assert found.status == "error"
    assert found.found == "tensorflow 2.21.0: of 2 files, 1 are missing and 0 have another size"
    assert found.remedy is not None
    assert "--force-reinstall --no-deps tensorflow==2.21.0" in found.remedy


def test_an_overwritten_file_is_a_warning(site: Path) -> None:
    install(site, "tensorflow")
    (site / "tensorflow/python/a.py").write_text("a = 22\n")
    assert diagnose(site).status == "warning"


def test_a_package_further_down_the_path_does_no_harm(
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


def test_the_remains_of_an_interrupted_installation_are_ignored(site: Path) -> None:
    install(site, "tensorflow")
    install(site, "~ensorflow", "2.20.0")
    (site / "~ensorflow-2.20.0.dist-info" / "METADATA").unlink()
    assert [str(build) for build in builds.installed()] == ["tensorflow 2.21.0"]


def test_another_version_is_a_warning(site: Path) -> None:
    install(site, "tensorflow", "2.16.1")
    found = diagnose(site)
    assert found.status == "warning"
    assert str(packages.requirements()["tensorflow"]) in found.found


def test_another_module_that_is_found_first_is_a_warning(site: Path, tmp_path: Path) -> None:
    install(site, "tensorflow")
    found = builds.finding(builds.installed(), str(tmp_path / "tensorflow.py"))
    assert found.status == "warning"
    assert str(tmp_path / "tensorflow.py") in found.found


def test_no_package_is_an_error_unless_there_is_a_module() -> None:
    assert builds.finding((), None).status == "error"
    assert builds.finding((), "/opt/tensorflow/__init__.py").status == "ok"
