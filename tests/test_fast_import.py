"""The import of TensorFlow is quiet, whatever the standard error is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys
from mnist_tasks import fast_import
try:
    with fast_import.quiet_stderr():
        os.write(2, b"from C++") if sys.argv[1] == "write" else None
        if sys.argv[2] == "fail":
            raise KeyError
        if sys.argv[2] == "interrupt":
            raise KeyboardInterrupt
except (KeyError, KeyboardInterrupt):
    sys.exit(7)
"""


@pytest.mark.parametrize(
    ("redirection", "words", "code", "written"),
    [
        ("", "write pass", 0, ""),
        ("", "write fail", 7, "from C++"),
        ("", "write interrupt", 7, ""),
        ("2>&-", "nothing pass", 0, ""),
        ("2>&-", "nothing fail", 7, ""),
        ("2>/dev/full", "write fail", 7, ""),
    ],
)
def test_what_is_written_shows_only_if_the_import_fails(
    redirection: str, words: str, code: int, written: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {words} {redirection}', "sh", sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, written)
