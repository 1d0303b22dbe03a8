"""Commands that are killed at any moment lose nothing, and the next one clears what they left."""

import sys
from pathlib import Path

import pytest

from tests import kills

# `python -m tests.kills 100` kills all commands.
NAMES = ("train", "fetch", "report")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are listed in /proc")
def test_nothing_is_lost_or_left(tmp_path: Path) -> None:
    shown: list[str] = []
    commands = [each for name in NAMES for each in kills.COMMANDS if each.name == name]
    is_fine = kills.run(3, tmp_path / "work", seed=3, commands=commands, show=shown.append)
    assert is_fine, "\n".join(shown)
