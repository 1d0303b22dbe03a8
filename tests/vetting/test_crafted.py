"""Each crafted file gets its exit code and reason, and no payload runs."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting.limits import DEFAULT
from mnist_tasks.vetting.outcomes import REMEDIES
from mnist_tasks.vetting.read_file import read_model_file
from mnist_tasks.vetting.static.static_check import vet_bytes
from mnist_tasks.vetting.untrusted_text import RefusedError
from tests.vetting import forked
from tests.vetting.crafted import TABLE
from tests.vetting.crafted.row import OUTCOMES
from tests.vetting.crafted.trial import MOST_SECONDS, CheckResult, try_out

if TYPE_CHECKING:
    from tests.vetting.crafted.row import Row

GIB = 1024**3


def names(row: Row) -> str:
    return row.name


def one_format_of_each() -> list[Row]:
    """Return the rows that TensorFlow must run in one of their formats each, and all others.

    Running them takes seconds: ``python -m tests.vetting.crafted`` tries them in every format.
    """
    formats: dict[str, list[Row]] = {}
    for row in TABLE:
        name = Path(row.name).stem.removesuffix("_keras2") if row.needs_keras else row.name
        formats.setdefault(name, []).append(row)
    return [rows[zlib.crc32(name.encode()) % len(rows)] for name, rows in formats.items()]


def one_of_each_reason(rows: list[Row]) -> list[Row]:
    """Return the first of the rows that the static check refuses for one reason, and all others.

    The child reports what that check finds, which `test_the_static_check_finds_the_reason` looks at
    in each row.
    """
    first: dict[object, Row] = {}
    for row in rows:
        is_refused = not (row.needs_keras or row.greedy)
        first.setdefault((row.kind, row.outcome, row.reason) if is_refused else row.name, row)
    return list(first.values())


FORMATS = one_format_of_each()
#: What is tried in a vetting process.
TRIED = one_of_each_reason(FORMATS)
#: The first of each result, in a vetting process that starts as it does for a user.
STARTED = list({(row.exit_code, row.needs_keras, row.greedy): row for row in TRIED[::-1]}.values())


#: What the static check lets pass is tried in one format each, below as well.
STATIC = [row for row in TABLE if not row.greedy and (not row.needs_keras or row in FORMATS)]


@pytest.mark.parametrize("row", STATIC, ids=names)
def test_the_static_check_finds_the_reason(row: Row, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    row.make(tmp_path / row.name, canary)
    outcome: str = ""
    try:
        content = read_model_file(tmp_path / row.name, limits=DEFAULT)
        vet_bytes(content.data, file_format=content.file_format, limits=DEFAULT)
        found = None
    except RefusedError as error:
        found, outcome = error.found, error.outcome
    except InputRefusedError as error:
        found, outcome = error.found, error.reason
    if row.needs_keras:
        assert found is None
    else:
        assert found is not None
        assert re.search(row.reason, found)
        assert found.isprintable()
        assert len(found) < 400

        usual = row.outcome or OUTCOMES.get(row.kind)
        assert outcome in ({usual} if usual else {*REMEDIES, "file-missing"})
    assert not canary.exists()


@dataclass(frozen=True)
class Trial:
    """A file's outcome, and what its child left behind in the process that started it."""

    outcome: CheckResult
    children_left: bool
    largest_child: int  # bytes, of this file and those before it in the same process


def try_in_a_process_of_its_own(name: str, folder: Path) -> Trial:
    """Run in a process that has no children of other tests."""
    row = next(row for row in TABLE if row.name == name)
    if row not in STARTED:
        forked.prepare(folder)
        if row.needs_keras:
            forked.import_keras()
    os.environ["TMPDIR"] = str(folder / "temporary")
    outcome = try_out(row, folder, folder / "canary")
    try:
        os.waitpid(-1, os.WNOHANG)
        children_left = True
    except ChildProcessError:
        children_left = False
    # Linux counts in KiB.
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return Trial(outcome, children_left, largest)


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trial]:
    """Check files in the real child, two at a time."""
    folder = tmp_path_factory.mktemp("crafted")
    (folder / "temporary").mkdir()
    # What forks from the process comes after what doesn't, and what needs TensorFlow last.
    rows = sorted(TRIED, key=lambda row: (row not in STARTED, row.needs_keras))
    given = list(map(names, rows))
    check = partial(try_in_a_process_of_its_own, folder=folder)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        results = dict(zip(given, pool.map(check, given), strict=True))
    assert not (folder / "canary").exists(), "a payload ran"
    assert not list((folder / "temporary").iterdir())
    return results


@pytest.mark.slow
@pytest.mark.parametrize("row", TRIED, ids=names)
def test_the_child_reports_the_exit_code_and_the_reason(row: Row, trials: dict[str, Trial]) -> None:
    outcome = trials[row.name].outcome
    assert outcome.exit_code == row.exit_code, outcome.reason
    assert re.search(row.reason, outcome.reason)
    usual = row.outcome or OUTCOMES.get(row.kind)
    assert usual in {None, outcome.outcome}
    assert outcome.cpu_seconds < MOST_SECONDS


@pytest.mark.slow
def test_no_child_used_a_gibibyte(trials: dict[str, Trial]) -> None:
    assert 0 < max(trial.largest_child for trial in trials.values()) < GIB


@pytest.mark.slow
def test_no_child_is_left(trials: dict[str, Trial]) -> None:
    assert [name for name, trial in trials.items() if trial.children_left] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lambda_bytecode.keras", "activation_bytecode.keras"])
def test_the_payload_works(name: str, tmp_path: Path) -> None:
    """Without vetting, the same bytes do run code: the table tests real attacks."""
    canary = tmp_path / "canary"
    model = tmp_path / name
    next(row for row in TABLE if row.name == name).make(model, canary)
    load = f"""
import keras, numpy
keras.models.load_model({str(model)!r}, safe_mode=False)(numpy.zeros((1, 28, 28, 1)))
"""
    subprocess.run([sys.executable, "-c", load], check=False, capture_output=True, timeout=600)
    assert canary.exists()


def test_the_table_is_large_and_has_no_duplicates() -> None:
    assert len(TABLE) >= 60
    assert len({row.name for row in TABLE}) == len(TABLE)
    assert {Path(row.name).suffix for row in TABLE} >= {".h5", ".keras"}


@pytest.mark.slow
def test_the_command_prints_the_table() -> None:
    project = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.vetting.crafted", "lambda_bytecode"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "| all | 2 | 0 not as expected, no payload ran |" in done.stdout


def test_each_format_is_tried_for_some_rows() -> None:
    needing = [Path(row.name) for row in TRIED if row.needs_keras]
    formats = {path.suffix + "2" * ("_keras2" in path.stem) for path in needing}
    assert formats == {".h5", ".h52", ".keras", ".keras2"}
    assert len(needing) > 90
