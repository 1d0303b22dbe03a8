"""The files that a check writes for other programs."""

from pathlib import Path

import pytest

from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.reporting import exports
from tests import check_results

FOUND = check_results.every_kind()


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def test_nothing_is_written_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    exports.write(FOUND)
    exports.write(FOUND, junit=tmp_path / "a.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["a.xml"]


def test_folders_are_made_and_old_files_replaced(tmp_path: Path) -> None:
    junit, markdown = tmp_path / "new" / "a.xml", tmp_path / "a.md"
    markdown.write_text("old")
    exports.write(FOUND, junit=junit, markdown=markdown)
    assert junit.read_bytes().startswith(b"<?xml")
    assert markdown.read_text(encoding="utf-8").startswith("# mnist-tasks check")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "new"]


def test_the_summary_of_a_ci_job_is_added_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    exports.write(FOUND, markdown=tmp_path / "a.md")
    content = (tmp_path / "a.md").read_text(encoding="utf-8")
    assert summary.read_text(encoding="utf-8") == "before\n" + content


@pytest.mark.parametrize("option", ["junit", "markdown"])
def test_a_place_that_cant_be_written_is_named_with_the_option(tmp_path: Path, option: str) -> None:
    with pytest.raises(EnvironmentProblemError) as caught:
        exports.write(FOUND, **{option: tmp_path})
    assert f"--{option}" in str(caught.value.remedy)
    assert list(tmp_path.iterdir()) == []
