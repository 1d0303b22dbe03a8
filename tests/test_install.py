"""Remedies name the command for the way in which the package was installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mnist_tasks import install

if TYPE_CHECKING:
    from pathlib import Path

EDITABLE = '{"dir_info": {"editable": true}, "url": "file:///src"}'
IN_FOLDER = "in the project's folder"


def installed(folder: Path, direct_url: str | None) -> None:
    """Write what pip records of an installed package."""
    info = folder / "mnist_tasks-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: mnist-tasks\nVersion: 0.1.0\n")
    if direct_url:
        (info / "direct_url.json").write_text(direct_url)


@pytest.mark.parametrize(
    ("direct_url", "plain", "with_extra"),
    [
        (EDITABLE, f"-e .` {IN_FOLDER}", f'-e ".[gpu]"` {IN_FOLDER}'),
        (None, "mnist-tasks`", '"mnist-tasks[gpu]"`'),
        ('{"dir_info": {}, "url": "file:///src"}', "mnist-tasks`", '"mnist-tasks[gpu]"`'),
        ('{"archive_info": {}, "url": "file:///a.whl"}', "mnist-tasks`", '"mnist-tasks[gpu]"`'),
        ("no JSON", "mnist-tasks`", '"mnist-tasks[gpu]"`'),
    ],
    ids=["editable", "from an index", "from a folder", "from a wheel", "damaged"],
)
def test_the_command_fits_the_installation(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    direct_url: str | None,
    plain: str,
    with_extra: str,
) -> None:
    installed(tmp_path, direct_url)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert install.command() == f"`python -m pip install {plain}"
    assert install.command("gpu") == f"`python -m pip install {with_extra}"


@pytest.mark.parametrize(
    ("direct_url", "requirement"),
    [
        (None, "mnist-tasks"),
        (EDITABLE, "mnist-tasks @ file:///src"),
        (
            '{"url": "https://x.org/r.git", "vcs_info": {"vcs": "git", "commit_id": "ab12"}}',
            "mnist-tasks @ git+https://x.org/r.git@ab12",
        ),
        ('{"archive_info": {}, "url": "file:///a.whl"}', "mnist-tasks @ file:///a.whl"),
        ('{"url": "file:///a\\"b"}', "mnist-tasks"),
        ("[]", "mnist-tasks"),
    ],
    ids=["index", "editable", "repository", "wheel", "quote", "damaged"],
)
def test_the_requirement_names_the_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct_url: str | None, requirement: str
) -> None:
    installed(tmp_path, direct_url)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert install.requirement() == requirement


def test_without_an_installation_it_is_the_source_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "PACKAGE", "no-such-package")
    assert install.command() == f"`python -m pip install -e .` {IN_FOLDER}"
