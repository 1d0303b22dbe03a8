"""A user's network is found and read without being run, and her errors are hers."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from mnist_tasks.config import TrainingConfig
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.training import network_file, recipes, user_code
from mnist_tasks.training.network_file import NetworkFile


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, path: str = "net.py") -> NetworkFile:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return network_file.find(path)


@pytest.mark.parametrize(
    ("reference", "where", "function", "name"),
    [
        ("net.py", "net.py", "build", "net.py"),
        ("a b/net.py:small", "a b/net.py", "small", "net.py:small"),
        (r"C:\nets\net.py", r"C:\nets\net.py", "build", None),
        ("package.module:small", "package.module", "small", "package.module:small"),
        ("package.module", "package.module", "build", "package.module"),
    ],
)
def test_a_reference_is_a_file_or_a_module_with_a_function(
    reference: str, where: str, function: str, name: str | None
) -> None:
    assert network_file.split(reference) == (where, function)
    if name is not None:
        assert recipes.resolve(TrainingConfig(network=reference)).name == name


def test_a_file_is_read_but_not_run() -> None:
    text = "raise SystemExit('it was run')\ndef build(): ...  # é\n"
    found = write(text, "nets/my-net.py")
    assert found.source.text == text
    assert found.source.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert (found.source.path, found.source.function) == ("nets/my-net.py", "build")
    assert found.folder == str(Path("nets").absolute())


def test_a_module_is_found_without_importing_its_package() -> None:
    Path("unimported").mkdir()
    Path("unimported/__init__.py").write_text("raise SystemExit('it was imported')\n")
    Path("unimported/nets.py").write_text("def build(): ...\n")
    found = network_file.find("unimported.nets:small")
    assert Path(found.source.path) == Path("unimported/nets.py")
    assert (found.module, found.source.function) == ("unimported.nets", "small")
    assert "unimported" not in sys.modules


@pytest.mark.parametrize(
    ("reference", "subject", "found", "reason"),
    [
        ("absent.py", "absent.py", "No such file", "file-missing"),
        ("./", ".", "folder", "input-refused"),
        ("absent.module:f", "--network", "no module absent", "file-missing"),
        ("json.absent", "--network", "no module json.absent", "file-missing"),
    ],
)
def test_what_is_not_there_is_named(reference: str, subject: str, found: str, reason: str) -> None:
    with pytest.raises(InputRefusedError) as caught:
        network_file.find(reference)
    assert caught.value.subject == subject
    assert found in caught.value.found
    assert caught.value.reason == reason
    if reference == "absent.py":  # the record of a run names it, too, from another folder
        assert caught.value.remedy == "Name where it is: --network FOLDER/absent.py"


def test_a_module_of_the_project_is_found_from_a_subfolder(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pyproject.toml").write_text("[tool.mnist-tasks]\n")
    write("SIDE = 28", "shapes/sides.py")
    write("from shapes.sides import SIDE\ndef build(): return SIDE", "shapes/small.py")
    (here / "sub").mkdir()
    monkeypatch.chdir(here / "sub")
    found = network_file.find("shapes.small:build")
    assert (found.source.path, found.folder) == (str(here / "shapes" / "small.py"), str(here))
    with network_file.importable(found.folder):
        assert user_code.load(found).build() == 28


@pytest.mark.parametrize("reference", ["", ":build", "not a module", "a..b"])
def test_a_reference_that_is_neither_is_wrong_usage(reference: str) -> None:
    with pytest.raises(UsageError, match="--network"):
        network_file.find(reference)


@pytest.mark.parametrize(
    ("content", "subject", "found"),
    [
        (b"x = 1\ndef build(:\n", "net.py:2", "SyntaxError: invalid syntax"),
        (b"if True:\nx = 1\n", "net.py:2", "IndentationError: expected an indented block"),
        (b"x = '\xff'\n", "net.py", "SyntaxError: invalid or missing encoding"),
        (b"\x00", "net.py", "null bytes"),
        (b"#" * (network_file.LARGEST + 1), "net.py", "more than 200,000"),
    ],
)
def test_a_file_that_is_not_python_is_refused_with_its_line(
    content: bytes, subject: str, found: str
) -> None:
    Path("net.py").write_bytes(content)
    with pytest.raises(InputRefusedError) as caught:
        network_file.find("net.py")
    assert caught.value.subject == subject
    assert found in caught.value.found


@pytest.mark.parametrize(
    ("text", "subject", "found"),
    [
        ("import absent_library\n", "net.py:1", "ModuleNotFoundError: No module named"),
        ("\n\nx = 1 / 0\n", "net.py:3", "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit('no')\n", "net.py:2", "SystemExit: no"),
        ("raise ValueError('\\x1b[1mbold\\x1b[0m')\n", "net.py:1", "ValueError: bold"),
        ("import json\njson.loads('{')\n", "net.py:2", "JSONDecodeError"),
        ("import helper\n", "net.py (helper.py:2)", "NameError: name 'oops' is not defined"),
        ("import broken\n", "net.py (broken.py:1)", "SyntaxError"),
    ],
)
def test_an_error_in_the_users_code_names_her_line(text: str, subject: str, found: str) -> None:
    Path("helper.py").write_text("\noops\n")
    Path("broken.py").write_text("def (\n")
    file = write(text)
    with pytest.raises(InputRefusedError) as caught, network_file.importable(file.folder):
        user_code.load(file)
    assert caught.value.subject == subject
    assert found in caught.value.found
    assert caught.value.reason == "network-code-failed"
    assert caught.value.exit_code == 3


def test_a_file_imports_its_neighbors_and_again_after_they_changed() -> None:
    file = write("from neighbor import width\nwidth_was = width\n", "nets/net.py")
    for width in ("3", "47"):
        Path("nets/neighbor.py").write_text(f"width = {width}\n")
        with network_file.importable(file.folder):
            assert user_code.load(file).width_was == int(width)
    assert file.folder not in sys.path


def test_a_module_can_use_relative_imports() -> None:
    Path("nets").mkdir()
    Path("nets/__init__.py").write_text("")
    Path("nets/sizes.py").write_text("width = 5\n")
    Path("nets/conv.py").write_text("from .sizes import width\n")
    file = network_file.find("nets.conv")
    with network_file.importable(file.folder):
        assert user_code.load(file).width == 5


def test_what_the_code_prints_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    user_code.load(write("print('hello')\n"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "hello\n"


def test_the_text_that_was_read_is_what_is_run() -> None:
    file = write("value = 1\n")
    Path("net.py").write_text("value = 2\n")
    assert user_code.load(file).value == 1


def test_dataclasses_work_even_in_a_file_with_the_name_of_a_library() -> None:
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Size:\n    width: int\n"
    )
    for name in ("json.py", "net.py", "other/net.py"):
        assert user_code.load(write(text, name)).Size(3).width == 3
    assert sys.modules["json"].__file__ != "json.py"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("def augment(): ...\n", True),
        ("import json as augment\n", False),
        ("", False),
    ],
)
def test_a_module_of_a_functions_name_is_not_that_function(text: str, is_one: bool) -> None:
    file = write(text)
    assert (user_code.function(user_code.load(file), "augment", file) is not None) == is_one


def test_something_else_of_a_functions_name_is_refused() -> None:
    file = write("callbacks = []\n")
    with pytest.raises(InputRefusedError, match="callbacks is of type list"):
        user_code.function(user_code.load(file), "callbacks", file)


def test_settings_of_recipes_only_are_refused() -> None:
    for name in ("ema_momentum", "label_smoothing"):
        config = TrainingConfig(network="net.py", settings=((name, 0.9),))
        with pytest.raises(UsageError, match=f"--set {name}"):
            recipes.resolve(config)
    with pytest.raises(UsageError, match="--precision"):
        TrainingConfig(network="net.py", precision="mixed_bfloat16")


def test_the_recipe_gives_epochs_and_batch_size_but_no_shifts() -> None:
    config = TrainingConfig(network="net.py", recipe="plain", epochs=3)
    recipe = recipes.resolve(config)
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (3, 64, 0.01)
    moving = replace(recipes.DEFAULT, max_rotation=9.0, max_scaling=0.1, max_shear=0.1)
    unmoved = recipes.resolve(TrainingConfig(network="net.py", recipe=moving))
    assert (unmoved.max_shift, unmoved.is_affine) == (0, False)
    shifted = TrainingConfig(network="net.py", settings=(("max_shift", 2),))
    assert recipes.resolve(shifted).max_shift == 2
