"""Files and folders of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.predicting import picture_paths


def test_a_folder_stands_for_its_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["b.JPG", "a/z.png", "a/.hidden.png", ".git/x.png", "notes.txt", "c.webp"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    listed = [tmp_path / "a/z.png", tmp_path / "b.JPG", tmp_path / "c.webp"]
    assert picture_paths.expand([Path("-"), tmp_path]) == [Path("-"), *listed]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputRefusedError, match="a folder without"):
        picture_paths.expand([tmp_path / "empty"])
    monkeypatch.setattr(picture_paths, "MOST_PICTURES", 2)
    with pytest.raises(InputRefusedError, match="3 pictures"):
        picture_paths.expand([tmp_path])
