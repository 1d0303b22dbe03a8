"""The tables of a project's own data sets are read strictly, and are locked before use."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnist_tasks.data import datasets, locking, project_files, project_table, sources, store
from mnist_tasks.data.download import SilentProgress
from mnist_tasks.errors import UsageError
from tests import shapes

IDX = 'train = ["a", "b"]\ntest = ["c", "d"]\n'
NPZ = '{ npz = "parts.npz", images = "x", labels = "y" }'


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lock(folder: Path = Path()) -> None:
    own = locking.find("parts")
    locking.lock(own, sources.choose_own(own.origin), progress=SilentProgress())


def refuse(table: str) -> UsageError:
    shapes.write_project(Path(), table)
    with pytest.raises(UsageError) as caught:
        datasets.find("parts")
    return caught.value


@pytest.mark.parametrize(
    ("table", "key", "found", "expected"),
    [
        ('test = "a"', "", "{'test': 'a'}", "a table with the key train"),
        (f"{shapes.FOLDERS}labels = 3", ".labels", "no such key", "one of classes, lock, mirrors"),
        (
            'train = ["a"]\ntest = "b"',
            ".train",
            "a list of 1",
            "[images, labels] (IDX files)",
        ),
        ('train = 3\ntest = "b"', ".train", "3", "or a folder with one for each class"),
        (f'train = {{ npz = "a" }}\ntest = {NPZ}', ".train", "{'npz': 'a'}", "the key images"),
        (
            f'train = {{ npx = "a" }}\ntest = {NPZ}',
            ".train.npx",
            "no such key",
            "one of images, lab",
        ),
        (IDX, ".classes", "nothing", "the names of the classes, which only folders have"),
        (f'{IDX}classes = ["a"]', ".classes", "a list of 1", "2 to 100 different names"),
        (f'{IDX}classes = ["a", "a"]', ".classes", "a, twice", "2 to 100 different names"),
        (f'{IDX}classes = ["a", "\\u001b[2J"]', ".classes", "can't be displayed", "names"),
        (f'{IDX}classes = ["a", ""]', ".classes[1]", "nothing", "text"),
        (f'{shapes.FOLDERS}mirrors = ["ftp://x/"]', ".mirrors[0]", "ftp://x/", "ending in /"),
        (f'{shapes.FOLDERS}mirrors = ["http://x"]', ".mirrors[0]", "http://x", "ending in /"),
        (f'{shapes.FOLDERS}classes = ["a", "{"b" * 65}"]', ".classes[1]", "bbb", "64 characters"),
        (f'{shapes.FOLDERS}mirrors = ["http://x/"]', ".train", "parts/train", "files below"),
        (
            'train = ["../a", "b"]\ntest = ["c", "d"]\nclasses = ["x", "y"]\nmirrors = ["http://x/"]',
            ".train",
            "../a",
            "files below the folder",
        ),
        (f"{shapes.FOLDERS}lock = 3", ".lock", "3", "a table"),
    ],
)
def test_an_error_names_the_file_and_the_key(
    table: str, key: str, found: str, expected: str
) -> None:
    error = refuse(table)
    name = "tool.mnist-tasks.datasets.parts"
    assert error.subject == f"pyproject.toml: {name}{key}" if key else f"pyproject.toml: [{name}]"
    assert found in error.found
    assert expected in str(error.expected)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "", "a/b", "..", "x" * 65, "é"])
def test_a_name_that_is_taken_or_no_file_name_is_refused(name: str) -> None:
    shapes.write_project(Path())
    Path("pyproject.toml").write_text(f'[tool.mnist-tasks.datasets."{name}"]\n{shapes.FOLDERS}')
    for other in ("mnist", name):
        with pytest.raises(UsageError) as caught:
            datasets.find(other)
        assert caught.value.subject.startswith("pyproject.toml: tool.mnist-tasks.datasets.")


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="partz") as caught:
        datasets.find("partz")
    assert caught.value.expected == "one of mnist, fashion-mnist"
    shapes.write_project(Path())
    for find in (datasets.find, locking.find):
        with pytest.raises(UsageError, match="partz") as caught:
            find("partz")
        assert caught.value.expected == "one of mnist, fashion-mnist, parts"
        assert caught.value.remedy == "Write parts."
    with pytest.raises(UsageError) as caught:
        datasets.find("Fashion-MNIST")
    assert caught.value.remedy == "Write fashion-mnist."
    assert datasets.find("mnist") is datasets.default()


def test_without_a_lock_the_command_that_makes_one_is_named() -> None:
    error = refuse(shapes.FOLDERS)
    assert error.subject == "pyproject.toml: [tool.mnist-tasks.datasets.parts]"
    assert error.remedy == "Run `mnist-tasks fetch --dataset parts --lock`."


def test_the_hashes_of_known_data_sets_cant_be_locked() -> None:
    with pytest.raises(UsageError, match="mnist") as caught:
        locking.find("mnist")
    assert caught.value.subject == "--lock"
    shapes.write_project(Path())
    with pytest.raises(UsageError, match="npm") as caught:
        locking.find("parts", source="npm")
    assert caught.value.subject == "--source"


def test_a_locked_data_set_follows_from_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes.write_pictures(Path("parts"))
    shapes.write_project(Path())
    lock()
    for folder in (".", "parts/train"):
        monkeypatch.chdir(tmp_path / folder)
        parts = datasets.find("parts")
        assert (parts.info.name, parts.info.title) == ("parts", "parts")
        assert parts.info.image_shape == (20, 24, 3)
        assert parts.info.classes == shapes.CLASSES
        assert [file.name for file in parts.files] == [
            "train-images-idx4-ubyte",
            "train-labels-idx1-ubyte",
            "test-images-idx4-ubyte",
            "test-labels-idx1-ubyte",
        ]
        assert parts.train[0].shape == (96, 20, 24, 3)
        project_files.require_unchanged(parts)
    # Another lock has another folder: two projects may each have a data set of this name.
    first = store.folder_of(parts, tmp_path)
    assert first.parent == tmp_path
    assert first.name.startswith("parts-")
    monkeypatch.chdir(tmp_path)
    next(Path("parts/test/nut").iterdir()).unlink()
    lock()
    assert store.folder_of(datasets.find("parts"), tmp_path) != first


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('["bolt", "nut", ', '["nut", "bolt", ', "the classes nut, bolt, screw, washer; the table"),
        ("[96, 20, 24, 3]", "[96, 20, 24, 4]", "images of the shape (96, 20, 24, 4)"),
        ("[96, 20, 24, 3]", "[96, 20]", "images of the shape (96, 20)"),
        ("[96, 20, 24, 3]", "[96, 20, 23, 3]", "training images (20, 23, 3) and test images"),
        (", 20, 24, 3]", ", 20, 65, 3]", "too large"),
        ("[96]", "[95]", "another number of labels than of images"),
    ],
)
def test_a_lock_that_was_edited_is_refused(old: str, new: str, found: str) -> None:
    shapes.write_pictures(Path("parts"))
    path = shapes.write_project(
        Path(), f'{shapes.FOLDERS}classes = ["bolt", "nut", "screw", "washer"]\n'
    )
    lock()
    table, lock_key, locked = path.read_text().partition("[tool.mnist-tasks.datasets.parts.lock]")
    assert old in locked
    path.write_text(table + lock_key + locked.replace(old, new))
    with pytest.raises(UsageError) as caught:
        datasets.find("parts")
    assert caught.value.subject == "pyproject.toml: [tool.mnist-tasks.datasets.parts.lock]"
    assert found in caught.value.found
    assert "--lock" in str(caught.value.remedy)
    assert project_table.names() == ("parts",)
