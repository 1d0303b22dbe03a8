"""What commands print is whole, and on the lines that it belongs to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import typer

from mnist_tasks import console
from mnist_tasks.cli import output, runs

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = f"a  b/{'long/' * 60}c "


@pytest.mark.parametrize("write", [output.print_line, console.note])
def test_a_path_is_printed_whole(
    write: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    write(f"page: {PATH}.html")
    write("a\nb\x1b[31m")
    printed = capsys.readouterr()
    assert printed.out + printed.err == f"page: {PATH}.html\na?b?[31m\n"


def test_a_prompt_has_no_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def confirm(question: str, *, err: bool) -> bool:
        asked.append(question)
        return err

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", confirm)
    runs._ask("Delete 1 run from \x1b]0;pwned\x07\x1b[31m\nr?", as_json=False)
    assert asked == ["Delete 1 run from ?]0;pwned??[31m?r?"]
