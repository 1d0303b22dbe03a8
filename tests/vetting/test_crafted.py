"""Every crafted file is met with its reason, and none gets to do what it was made for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting.intake import take_in
from mnist_tasks.vetting.limits import DEFAULT
from mnist_tasks.vetting.plain import RefusedError
from mnist_tasks.vetting.static import vet_bytes
from tests.vetting.crafted import TABLE
from tests.vetting.crafted.trial import Outcome, try_out

if TYPE_CHECKING:
    from tests.vetting.crafted.row import Row

GIB = 1024**3


def names(row: Row) -> str:
    return row.name


@pytest.mark.parametrize("row", [row for row in TABLE if not row.greedy], ids=names)
def test_the_static_pass_gives_the_reason(row: Row, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    row.make(tmp_path / row.name, canary)
    try:
        intake = take_in(tmp_path / row.name, limits=DEFAULT)
        vet_bytes(intake.data, kind=intake.format, limits=DEFAULT)
        found = None
    except (RefusedError, InputRefusedError) as error:
        found = error.found
    if row.needs_keras:
        assert found is None
    else:
        assert found is not None
        assert re.search(row.reason, found)
        assert found.isprintable()
        assert len(found) < 400
    assert not canary.exists()


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Check every file of the table in the real child, two at a time."""
    folder = tmp_path_factory.mktemp("crafted")

    def check(row: Row) -> Outcome:
        return try_out(row, folder, folder / "canary")

    temporary = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(tempfile, "tempdir", str(temporary))
        results = dict(zip(map(names, TABLE), pool.map(check, TABLE), strict=True))
    assert not (folder / "canary").exists(), "a payload ran"
    assert not list(temporary.iterdir())
    return results


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE, ids=names)
def test_the_child_gives_the_exit_code_and_the_reason(
    row: Row, outcomes: dict[str, Outcome]
) -> None:
    outcome = outcomes[row.name]
    assert outcome.exit_code == row.exit_code, outcome.reason
    assert re.search(row.reason, outcome.reason)
    assert outcome.seconds < 20


@pytest.mark.slow
def test_no_child_took_a_gibibyte(outcomes: dict[str, Outcome]) -> None:
    resource = pytest.importorskip("resource")
    assert outcomes
    # Linux counts in KiB: the largest of all children that this process has waited for.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < GIB


@pytest.mark.slow
def test_no_child_is_left(outcomes: dict[str, Outcome]) -> None:
    assert outcomes
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lambda_bytecode.keras", "activation_bytecode.keras"])
def test_the_payload_is_live(name: str, tmp_path: Path) -> None:
    """Without a guard the same bytes do run: the table does not test a dud."""
    canary = tmp_path / "canary"
    model = tmp_path / name
    next(row for row in TABLE if row.name == name).make(model, canary)
    load = f"""
import keras, numpy
keras.models.load_model({str(model)!r}, safe_mode=False)(numpy.zeros((1, 28, 28, 1)))
"""
    subprocess.run([sys.executable, "-c", load], check=False, capture_output=True, timeout=120)
    assert canary.exists()


def test_the_table_is_large_and_names_each_file_once() -> None:
    assert len(TABLE) >= 60
    assert len({row.name for row in TABLE}) == len(TABLE)
    assert {Path(row.name).suffix for row in TABLE} >= {".h5", ".keras"}
