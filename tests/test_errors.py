"""Errors name their parts, and text from outside is made safe to display."""

from dataclasses import asdict

import pytest

from mnist_tasks import errors
from mnist_tasks.errors import InputRefusedError, printable, redact


def test_each_kind_has_its_own_exit_code() -> None:
    kinds = (errors.UsageError, errors.InputRefusedError, errors.EnvironmentProblemError)
    codes = [kind.exit_code for kind in kinds]
    assert codes == [2, 3, 4]
    assert {errors.CONTRACT_FAILED, errors.INTERRUPTED}.isdisjoint(codes)
    assert {(kind.exit_code, kind.title.lower()) for kind in kinds} <= set(errors.EXIT_CODES)
    table = [code for code, _ in errors.EXIT_CODES]
    assert table == sorted(set(table))


def test_an_error_names_its_parts() -> None:
    error = errors.InputRefusedError("file", expected="a", found="b", remedy="c")
    assert str(error) == "file: b"
    assert asdict(errors.Failure.of(error)) == {
        "title": "Input refused",
        "subject": "file",
        "expected": "a",
        "found": "b",
        "remedy": "c",
        "reason": "input-refused",
    }


def test_an_error_keeps_its_reason_about_another_subject() -> None:
    error = errors.InputRefusedError("file", found="b", reason="file-missing")
    assert error.about("the baseline").reason == "file-missing"


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
def test_text_from_outside_is_made_safe_to_display(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:secret@host/x/: status 404", "http://***@host/x/: status 404"),
        ("https://token@host:80/", "https://***@host:80/"),
        ("https://us@er:pass@host/", "https://***@host/"),
        ("http://host/mail@example", "http://host/mail@example"),
        ("http://host:8080/mail@example", "http://host:8080/mail@example"),
        ("no address, a@b", "no address, a@b"),
        ("what? a question = no secret", "what? a question = no secret"),
        ("http://user:sec/ret@host/: not found", "http://***@host/: not found"),
        ("http://user:s@cr/et@host/", "http://***@host/"),
        ("user:secret@host/, which is no address", "***@host/, which is no address"),
        ("https:/user:secret@host/ as a path", "https:/***@host/ as a path"),
        ("http://host/file?secret", "http://host/file?***"),
        ("'http://host/file?a=b&secret' is wrong", "'http://host/file?***' is wrong"),
        ("https:/host/file?secret as a path", "https:/host/file?*** as a path"),
        ("http://host/#token=secret", "http://host/?***"),
        ("Max retries exceeded with url: /x?sig=secret&a", "Max retries exceeded with url: /x?***"),
        ("C:/models/a#1.h5", "C:/models/a#1.h5"),
        ("[/x]b[/link]:smile:<b>|`@bob`", "[/x]b[/link]:smile:<b>|`@bob`"),
        ("model?.h5", "model?.h5"),
    ],
)
def test_credentials_in_addresses_are_not_shown(text: str, shown: str) -> None:
    assert redact(text) == shown
    error = InputRefusedError(text, found=text, expected=text, remedy=text)
    assert {error.subject, error.found, error.expected, error.remedy} == {shown}


def test_the_texts_of_an_error_are_safe_to_display() -> None:
    error = InputRefusedError(
        "a\nb\x1b.h5", found="- one\x1b\n- two", expected="\x9b", remedy="\udcff"
    )
    assert (error.subject, error.found) == ("a b?.h5", "- one?\n- two")
    assert (error.expected, error.remedy) == ("?", "?")
    assert str(error) == "a b?.h5: - one?\n- two"
