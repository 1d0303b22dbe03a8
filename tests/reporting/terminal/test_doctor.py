"""The display of a diagnosis."""

from __future__ import annotations

from rich.console import Console

from mnist_tasks.environment.diagnosis import Finding, diagnose
from mnist_tasks.reporting.terminal import doctor

FOUND = diagnose(
    (
        Finding(topic="machine", name="Python", found="3.11.7", details=("/usr/bin/python",)),
        Finding(
            topic="GPU",
            name="devices",
            found="libcudnn.so.9 [red]can't be opened[/red] \x1b[31m" + "word " * 60 + "last",
            status="error",
            remedy="Do " + "this " * 60 + "now.",
        ),
    )
)


def show(width: int) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(doctor.diagnosis(FOUND))
    return captured.get()


def test_nothing_is_cut_at_any_width() -> None:
    for width in (40, 80, 120):
        shown = show(width)
        assert max(map(len, shown.splitlines())) <= width
        flat = " ".join(shown.split())
        assert "3.11.7 /usr/bin/python" in flat
        assert "[red]can't be opened[/red] ?[31mword" in flat
        assert "last what to do: Do this" in flat
        assert "this now." in flat


def test_the_output_is_ascii() -> None:
    assert show(80).isascii()


def test_topics_are_headings_and_the_summary_is_last() -> None:
    lines = show(80).splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "Machine",
        "GPU",
        "This machine can't run the workflow (1 error).",
    ]
    assert lines[1].split() == ["ok", "Python", "3.11.7"]
