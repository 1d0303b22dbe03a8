"""Errors say what was looked at, and show no text from outside as it came."""

import pytest

from mnist_tasks import errors
from mnist_tasks.errors import printable


def test_each_kind_has_an_exit_code_of_its_own() -> None:
    kinds = (errors.UsageError, errors.InputRefusedError, errors.EnvironmentProblemError)
    codes = [kind.exit_code for kind in kinds]
    assert codes == [2, 3, 4]
    assert {errors.CONTRACT_FAILED, errors.INTERRUPTED}.isdisjoint(codes)


def test_an_error_names_its_parts() -> None:
    error = errors.InputRefusedError("file", expected="a", found="b", remedy="c")
    assert str(error) == "file: b"
    assert error.as_dict() == {
        "exit_code": 3,
        "title": "Input refused",
        "subject": "file",
        "expected": "a",
        "found": "b",
        "remedy": "c",
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("  two\n\n lines\t ", "two lines"),
        ("\x1b[31mred\x07", "?[31mred?"),
        ("\u202egpj.exe\u200b", "?gpj.exe?"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_text_from_outside_is_made_fit_to_show(text: str, shown: str) -> None:
    assert printable(text) == shown
