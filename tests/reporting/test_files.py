"""The files that a check writes for other programs."""

import os
import sys
from pathlib import Path

import pytest

from mnist_tasks.errors import EnvironmentProblemError, UsageError
from mnist_tasks.reporting import files
from tests import check_results

FOUND = check_results.every_kind()


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def test_only_requested_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    files.write_check(FOUND)
    files.write_check(FOUND, junit=tmp_path / "a.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["a.xml"]


def test_folders_are_created_and_old_files_replaced(tmp_path: Path) -> None:
    junit, markdown = tmp_path / "new" / "a.xml", tmp_path / "a.md"
    markdown.write_text("old")
    files.write_check(FOUND, junit=junit, markdown=markdown)
    assert junit.read_bytes().startswith(b"<?xml")
    assert markdown.read_text(encoding="utf-8").startswith("# mnist-tasks check")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "new"]


def test_the_summary_of_a_ci_job_is_appended_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    files.write_check(FOUND, markdown=tmp_path / "a.md")
    content = (tmp_path / "a.md").read_text(encoding="utf-8")
    assert summary.read_text(encoding="utf-8") == "before\n" + content


@pytest.mark.parametrize("before", ["", "before", "before\n"])
def test_the_summary_keeps_its_heading(
    before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the file ends with a line end or not, and if it is also that of --markdown."""
    summary = tmp_path / "summary"
    summary.write_text(before)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    files.write_check(FOUND, markdown=tmp_path / "a.md")
    content = (tmp_path / "a.md").read_text(encoding="utf-8")
    expected = (before.strip() and "before\n") + content
    assert summary.read_text(encoding="utf-8") == expected
    files.write_check(FOUND, markdown=summary)
    assert summary.read_text(encoding="utf-8") == expected + content


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets few users make links")
def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "link").symlink_to("shared/new.xml")
    files.write_check(FOUND, junit=tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "shared" / "new.xml").read_bytes().startswith(b"<?xml")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets few users make links")
def test_no_file_overwrites_another(tmp_path: Path) -> None:
    (tmp_path / "model.h5").touch()
    (tmp_path / "link").symlink_to("model.h5")
    (tmp_path / "a").touch()
    os.mkfifo(tmp_path / "pipe")
    model = tmp_path / "folder" / ".." / "model.h5"
    (tmp_path / "folder").mkdir()
    files.require_outputs({"--junit": tmp_path / "a", "--markdown": None}, [model])
    for junit, markdown, option, found in (
        ("a", "folder/../a", "--markdown", "the file of --junit"),
        ("link", "a", "--junit", f"the input {model}"),
        ("a", "pipe", "--markdown", "a pipe, socket or device"),
        ("folder", "a", "--junit", "a folder"),
    ):
        outputs = {"--junit": tmp_path / junit, "--markdown": tmp_path / markdown}
        with pytest.raises(UsageError, match=found) as caught:
            files.require_outputs(outputs, [model])
        assert caught.value.subject == option


@pytest.mark.parametrize("option", ["junit", "markdown"])
def test_an_unwritable_place_is_reported_with_its_option(tmp_path: Path, option: str) -> None:
    with pytest.raises(EnvironmentProblemError) as caught:
        files.write_check(FOUND, **{option: tmp_path})
    assert f"--{option}" in str(caught.value.remedy)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_or_a_device_is_not_replaced(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    for path in (pipe, link):
        with pytest.raises(EnvironmentProblemError, match="a pipe, socket or device"):
            files.write_check(FOUND, junit=path)
    assert pipe.is_fifo()
    assert link.is_char_device()
