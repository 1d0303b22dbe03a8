"""The contract file is read strictly: unknown keys and invalid values are refused by name."""

import os
import sys
import time
from pathlib import Path

import pytest

from mnist_tasks.checking import contract_file
from mnist_tasks.checking.contract import Baseline, Contract, Noise, Perturbed, Rotate, Shift
from mnist_tasks.checking.contract_file import LoadedContract
from mnist_tasks.errors import InputRefusedError, UsageError

FULL = """
parameters_below = 20_000
input_shape = [28, 28]
accuracy_above = 0.98
accuracy_below = 0.9999
worst_recall_above = 0.97
calibration_error_below = 0.02
bytes_below = 300_000
latency_below_ms = 5
required_layers = ["BatchNormalization", "Dropout"]
confidence = 0.99

[perturbed]
shift = { pixels = 1, accuracy_above = 0.95 }
rotate = { degrees = 10, accuracy_above = 0.95 }
noise = { sigma = 0.2, accuracy_above = 0.9 }

[baseline]
model = "best.h5"
tolerance_points = 0.2
"""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str, name: str = "contract.toml") -> LoadedContract:
    Path(name).write_text(text)
    return contract_file.load(Path(name))


def test_every_key_is_read() -> None:
    assert read(FULL) == LoadedContract(
        source="contract.toml",
        contract=Contract(
            parameters_below=20_000,
            input_shape=(28, 28),
            accuracy_above=0.98,
            accuracy_below=0.9999,
            worst_recall_above=0.97,
            calibration_error_below=0.02,
            bytes_below=300_000,
            latency_below_ms=5.0,
            required_layers=("BatchNormalization", "Dropout"),
            confidence=0.99,
            perturbed=Perturbed(
                shift=Shift(pixels=1, accuracy_above=0.95),
                rotate=Rotate(degrees=10.0, accuracy_above=0.95),
                noise=Noise(sigma=0.2, accuracy_above=0.9),
            ),
            baseline=Baseline(model="best.h5", tolerance_points=0.2),
        ),
    )


def test_without_a_file_the_contract_is_the_default() -> None:
    assert contract_file.load() == LoadedContract(contract=Contract(), source=None)


def test_the_table_of_pyproject_is_read_if_there_is_one() -> None:
    Path("pyproject.toml").write_text("[project]\nname = 'x'\n[tool.other]\naccuracy_above = 1\n")
    assert contract_file.load() == LoadedContract(contract=Contract(), source=None)
    with Path("pyproject.toml").open("a") as file:
        file.write("[tool.mnist-tasks.contract]\naccuracy_above = 0.99\n")
    expected = LoadedContract(contract=Contract(accuracy_above=0.99), source="pyproject.toml")
    assert contract_file.load() == expected
    assert contract_file.load(Path("pyproject.toml")) == expected


def test_a_named_file_takes_precedence_over_pyproject() -> None:
    Path("pyproject.toml").write_text("[tool.mnist-tasks.contract]\naccuracy_above = 0.99\n")
    assert read("accuracy_above = 0.9").contract.accuracy_above == 0.9
    assert read("").contract == Contract()


def test_an_empty_table_of_pyproject_is_the_default_contract() -> None:
    Path("pyproject.toml").write_text("[tool.mnist-tasks.contract]\n")
    assert contract_file.load() == LoadedContract(contract=Contract(), source="pyproject.toml")


def test_the_path_of_a_baseline_is_relative_to_the_contract_file(tmp_path: Path) -> None:
    Path("sub").mkdir()
    for key in ("model", "record"):
        baseline = read(f"[baseline]\n{key} = '../a'", "sub/contract.toml").contract.baseline
        assert getattr(baseline, key) == "sub/../a"
    absolute = read(f"[baseline]\nmodel = '{tmp_path}/a.h5'", "sub/contract.toml").contract.baseline
    assert absolute == Baseline(model=f"{tmp_path}/a.h5")


@pytest.mark.parametrize(
    ("text", "key", "found", "expected"),
    [
        ("accuracy = 0.9", "accuracy", "no such key", "accuracy_above, accuracy_below, baseline"),
        ("Accuracy_above = 0.9", "Accuracy_above", "no such key", "accuracy_above"),
        ("[perturbed]\nblur = 1", "perturbed.blur", "no such key", "one of noise, rotate, shift"),
        ("perturbed.shift.px = 1", "perturbed.shift.px", "no such key", "accuracy_above, pixels"),
        (
            "[baseline]\nfile = 'a'",
            "baseline.file",
            "no such key",
            "model, record, tolerance_points",
        ),
        ('"\\u001b[31m" = 1', "?[31m", "no such key", "accuracy_above"),
        ("accuracy_above = '0.9'", "accuracy_above", '"0.9"', "a number"),
        ("accuracy_above = true", "accuracy_above", "True", "a number"),
        ("accuracy_above = 1979-05-27", "accuracy_above", "1979-05-27", "a number"),
        ("parameters_below = 1.5", "parameters_below", "1.5", "a whole number"),
        ("input_shape = []", "input_shape", "[]", "a list: [h, w, 1], [h, w, 3], [h, w] or"),
        ("input_shape = [1, 2, 3, 4]", "input_shape", "4", "a list: [h, w, 1], [h, w, 3]"),
        ("required_layers = 'Dense'", "required_layers", "Dense", "a list"),
        ("required_layers = [3]", "required_layers[0]", "3", "text in quotes"),
        ("required_layers = ['Dens']", "required_layers", "Dens", "one of Activation"),
        ("baseline.tolerance_points = 1", "baseline", "neither", "either a model or a record"),
        ("baseline = {model = 'a', record = 'b'}", "baseline", "both", "a model or a record"),
        ("baseline.model = ''", "baseline.model", "nothing", "text in quotes"),
        ("baseline.record = ''", "baseline.record", "nothing", "text in quotes"),
        ("baseline = 'a.h5'", "baseline", "a.h5", "a table"),
        ("perturbed.shift = 1", "perturbed.shift", "1", "a table"),
        (
            "perturbed.noise.sigma = 0.1",
            "perturbed.noise",
            "{'sigma': 0.1}",
            "with the key accuracy_above",
        ),
        ("accuracy_above = 95", "accuracy_above", "95", "0.95 is 95%"),
        ("accuracy_above = nan", "accuracy_above", "nan", "0.95 is 95%"),
        ("accuracy_below = 0.5", "accuracy_below", "0.5", "above accuracy_above (0.95)"),
        ("perturbed.shift = {pixels = 9, accuracy_above = 0}", "perturbed.shift.pixels", "9", "4"),
        (f"parameters_below = {10**30}", "parameters_below", "1000000", ""),
    ],
)
def test_an_error_names_the_key_and_what_is_valid(
    text: str, key: str, found: str, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert caught.value.subject == f"contract.toml: {key}"
    assert found in caught.value.found
    assert expected in str(caught.value.expected)


@pytest.mark.parametrize("content", [b"a =", b"\xff", b"a = 1\na = 2", b"a = " + b"[" * 10_000])
def test_invalid_toml_is_refused(content: bytes) -> None:
    Path("pyproject.toml").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        contract_file.load()
    assert caught.value.subject == "pyproject.toml"
    assert caught.value.expected == "project settings in TOML"


@pytest.mark.parametrize("name", ["nowhere.toml", "a\0b"])
def test_a_missing_file_is_refused(name: str) -> None:
    with pytest.raises(InputRefusedError, match="no such file") as caught:
        contract_file.load(Path(name))
    assert caught.value.subject == name.replace("\0", "?")
    assert caught.value.reason == "file-missing"


def test_a_folder_is_no_contract() -> None:
    with pytest.raises(UsageError) as caught:
        contract_file.load(Path())
    assert caught.value.subject == "."


@pytest.mark.parametrize("text", ["tool.mnist-tasks.contract = 3", "[[tool.mnist-tasks.contract]]"])
def test_a_contract_that_is_not_a_table_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert caught.value.subject == "contract.toml: tool.mnist-tasks.contract"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b".".join([b"a"] * 60_000) + b" = 1", "59,999 dots"),
        (b"[" + b".".join([b"a"] * 1_000) + b"]\n" + b"\n".join([b"k = 1"] * 10_000), "999 dots"),
        (b"a = " + b"{a=" * 10_000 + b"}" * 10_000, ""),
        (b"a = [" + b"1," * 300_000 + b"]", "600,006 bytes, more than 500,000"),
        (b"a = " + b"1" * 100_000, "digits"),
        (b'a = "\x1b[31m"', ""),
    ],
)
def test_a_file_that_takes_long_is_refused_at_once(content: bytes, found: str) -> None:
    Path("contract.toml").write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(UsageError) as caught:
        contract_file.load(Path("contract.toml"))
    assert time.perf_counter() - start < 10
    assert found in caught.value.found
    assert caught.value.found.isprintable()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_what_may_never_end_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo("pipe.toml")
    Path("zero.toml").symlink_to("/dev/zero")
    for name in ("pipe.toml", "zero.toml"):
        with pytest.raises(UsageError, match="a pipe, socket or device"):
            contract_file.load(Path(name))
        Path(name).rename("pyproject.toml")
        with pytest.raises(UsageError, match="a pipe, socket or device"):
            contract_file.load()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows links only to some users")
def test_a_broken_link_to_the_contract_is_not_ignored() -> None:
    Path("pyproject.toml").symlink_to("nowhere")
    with pytest.raises(UsageError, match="No such file"):
        contract_file.load()


def test_a_byte_order_mark_is_ignored() -> None:
    Path("contract.toml").write_bytes(b"\xef\xbb\xbfaccuracy_above = 0.9\r\n")
    assert contract_file.load(Path("contract.toml")).contract.accuracy_above == 0.9


@pytest.mark.parametrize("path", [None, Path("pyproject.toml")])
def test_a_misspelled_table_is_not_ignored(path: Path | None) -> None:
    Path("pyproject.toml").write_text("[tool.mnist_tasks.contract]")
    with pytest.raises(UsageError) as caught:
        contract_file.load(path)
    assert caught.value.subject == "pyproject.toml: [tool.mnist_tasks]"


def test_a_clause_outside_of_the_table_is_not_ignored() -> None:
    with pytest.raises(UsageError) as caught:
        read("accuracy_below = 0.999\n[tool.mnist-tasks.contract]\naccuracy_above = 0.9\n")
    assert caught.value.subject == "contract.toml: accuracy_below"
    assert "has no effect" in caught.value.found


def test_the_contract_of_the_nearest_project_is_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pyproject.toml").write_text(
        "[tool.mnist-tasks.contract]\naccuracy_above = 0.99\nbaseline.model = 'best.h5'\n"
    )
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "tests" / "deep")
    found = contract_file.load()
    assert found.contract.accuracy_above == 0.99
    assert found.contract.baseline == Baseline(model="../../best.h5")
    assert found.source == "../../pyproject.toml"
    # A nearer one without the table of this program is passed over; one with it wins.
    Path("../pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert contract_file.load() == found
    Path("../pyproject.toml").write_text("[tool.mnist-tasks]\nepochs = 2\n")
    assert contract_file.load() == LoadedContract(contract=Contract())


def test_a_project_can_name_the_file_of_its_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pyproject.toml").write_text("[tool.mnist-tasks]\ncontract = 'gates/contract.toml'\n")
    with pytest.raises(UsageError) as caught:
        contract_file.load()
    assert caught.value.subject == "pyproject.toml: tool.mnist-tasks.contract"
    assert caught.value.found == "no file gates/contract.toml"
    Path("gates").mkdir()
    Path("gates/contract.toml").write_text("accuracy_above = 0.9\nbaseline.model = 'a.h5'\n")
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path / "tests")
    expected = LoadedContract(
        contract=Contract(accuracy_above=0.9, baseline=Baseline(model="../gates/a.h5")),
        source="../gates/contract.toml",
    )
    assert contract_file.load() == expected
    assert contract_file.load(Path("../pyproject.toml")) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("contract = 'pyproject.toml'", "the name of another file"),
        ("contract = 'other.toml'", "none"),
    ],
)
def test_a_named_file_without_a_contract_is_refused(text: str, found: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.mnist-tasks]\n{text}\n")
    Path("other.toml").write_text("[tool.mnist-tasks]\nepochs = 2\n")
    with pytest.raises(UsageError) as caught:
        contract_file.load()
    assert caught.value.found == found
