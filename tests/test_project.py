"""The settings of a project are found from the current folder upwards, and read strictly."""

import os
import sys
from pathlib import Path

import pytest

from mnist_tasks import project
from mnist_tasks.errors import UsageError
from mnist_tasks.project import Project, Settings

FULL = """
[tool.mnist-tasks]
network = "net.py:build"
recipe = "mine"
epochs = 3
dataset = "parts"
contract = "contract.toml"
runs = "out/runs"
output = "out/model.keras"

[tool.mnist-tasks.recipes.mine]
batch_size = 32

[tool.mnist-tasks.datasets.parts]
classes = ["nut", "bolt"]
"""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "pyproject.toml") -> None:
    Path(name).write_text(text)


def test_every_key_is_read() -> None:
    write(FULL)
    assert project.find() == Project(
        folder=Path(),
        file=Path("pyproject.toml"),
        settings=Settings(
            network="net.py:build",
            recipe="mine",
            epochs=3,
            dataset="parts",
            contract="contract.toml",
            runs="out/runs",
            output="out/model.keras",
            recipes={"mine": {"batch_size": 32}},
            datasets={"parts": {"classes": ["nut", "bolt"]}},
        ),
    )


def test_the_contract_can_be_a_table() -> None:
    write("[tool.mnist-tasks.contract]\naccuracy_above = 0.9\n")
    found = project.find()
    assert found is not None
    assert found.settings.contract == {"accuracy_above": 0.9}


def test_the_nearest_file_with_the_table_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project.find() is None
    write("[tool.mnist-tasks]\nepochs = 2\n")
    (tmp_path / "a" / "b").mkdir(parents=True)
    write("[project]\nname = 'x'\n[tool.other]\nepochs = 9\n", "a/pyproject.toml")
    monkeypatch.chdir(tmp_path / "a" / "b")
    found = project.find()
    assert found is not None
    assert (found.folder, found.file) == (Path("../.."), Path("../../pyproject.toml"))
    assert found.settings.epochs == 2
    write("[tool.mnist-tasks]\n", "../pyproject.toml")
    nearer = project.find()
    assert nearer is not None
    assert (nearer.file, nearer.settings) == (Path("../pyproject.toml"), Settings())
    elsewhere = project.find(tmp_path)
    assert elsewhere is not None
    assert elsewhere.file == tmp_path / "pyproject.toml"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows links only to some users")
def test_a_linked_folder_belongs_to_the_project_that_it_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("real/sub").mkdir(parents=True)
    write("[tool.mnist-tasks]\nepochs = 2\n", "real/pyproject.toml")
    Path("link").symlink_to("real/sub")
    monkeypatch.chdir(tmp_path / "link")
    found = project.find()
    assert found is not None
    assert found.file.samefile(tmp_path / "real" / "pyproject.toml")


def test_a_deleted_folder_has_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert project.find() is None


def test_a_byte_order_mark_is_ignored() -> None:
    Path("pyproject.toml").write_bytes(b"\xef\xbb\xbf[tool.mnist-tasks]\r\nepochs = 2\r\n")
    found = project.find()
    assert found is not None
    assert found.settings.epochs == 2


@pytest.mark.parametrize(
    ("text", "key", "found", "expected", "remedy"),
    [
        (
            "epoch = 2",
            "epoch",
            "no such key",
            "one of contract, dataset, datasets",
            "Write epochs.",
        ),
        ("[tool.mnist-tasks.contracts]", "contracts", "no such key", "contract", "Write contract."),
        ("Network = 'a'", "Network", "no such key", "network", "Write network."),
        ("zzz = 2", "zzz", "no such key", "one of contract, dataset", "None"),
        ("epochs = 0", "epochs", "0", "a whole number from 1 to 1,000", "None"),
        ("epochs = '3'", "epochs", '"3"', "a whole number", "None"),
        ("runs = 3", "runs", "3", "text in quotes", "None"),
        ("output = ''", "output", "nothing", "text in quotes", "None"),
        ("contract = 3", "contract", "3", "text in quotes or a table", "None"),
        ("recipes = 3", "recipes", "3", "a table", "None"),
    ],
)
def test_an_error_names_the_key_and_what_is_valid(
    text: str, key: str, found: str, expected: str, remedy: str
) -> None:
    write(f"[tool.mnist-tasks]\n{text}\n")
    with pytest.raises(UsageError) as caught:
        project.find()
    assert caught.value.subject == f"pyproject.toml: tool.mnist-tasks.{key}"
    assert caught.value.found == found
    assert expected in str(caught.value.expected)
    assert str(caught.value.remedy) == remedy


def test_a_table_that_is_none_is_refused() -> None:
    write("tool.mnist-tasks = 3")
    with pytest.raises(UsageError, match="3") as caught:
        project.find()
    assert caught.value.subject == "pyproject.toml: [tool.mnist-tasks]"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[tool.mnist_tasks.contract]", "tool.mnist_tasks"),
        ("[tool.Mnist-Tasks.contract]", "tool.Mnist-Tasks"),
        ("[tool.'mnist.tasks'.contract]", "tool.mnist.tasks"),
        ("[mnist-tasks.contract]", "mnist-tasks"),
        ("[tool.mnist-tasks.contract]\n[tool.mnist_tasks]", "tool.mnist_tasks"),
    ],
)
def test_a_misspelled_table_is_not_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str
) -> None:
    write(text)
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    with pytest.raises(UsageError) as caught:
        project.find()
    assert caught.value.subject == f"../pyproject.toml: [{name}]"
    assert caught.value.remedy == "Write [tool.mnist-tasks]."


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root gives a file away"
)
def test_a_file_that_anybody_could_leave_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("[tool.mnist-tasks]\nnetwork = 'theirs.py'\n")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    os.chown("../pyproject.toml", 12_345, 12_345)
    assert project.find() is not None
    tmp_path.chmod(0o1777)  # as /tmp is
    with pytest.raises(UsageError, match="another user"):
        project.find()
    content = Path("../pyproject.toml").read_text()
    Path("../pyproject.toml").write_text("[tool")  # of no use to anyone, and no obstacle
    assert project.find() is None
    Path("../pyproject.toml").write_text(content)
    os.chown("../pyproject.toml", 0, 0)
    assert project.find() is not None
