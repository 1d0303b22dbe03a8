"""The import of TensorFlow is quiet, whatever the standard error is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

IMPORT = """
import sys
from mnist_tasks import fast_import
with fast_import.light():
    import keras
    import tensorflow as tf
late = {name: type(sys.modules.get(name)).__name__ for name in fast_import.LATE}
assert set(late.values()) == {"_LazyModule"}, late
for late in (tf.compat.v1, tf.compat.v2, tf.quantization, tf.test, tf.tpu):
    assert late.__doc__ and len(dir(late)) > 5, late
assert tf.compat.v1.nn.fused_batch_norm and tf.profiler.experimental.start
assert tf.lite.TFLiteConverter and tf.lite.TFLiteConverter and tf.distribute.get_strategy
assert keras.applications.MobileNet
assert "_LateFinder" not in {type(each).__name__ for each in sys.meta_path}
assert None not in sys.modules.values()
"""
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


def test_what_is_seldom_used_is_there_once_it_is(python: Callable[..., Run]) -> None:
    done = python("-c", IMPORT)
    assert (done.returncode, done.stderr) == (0, "")


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
