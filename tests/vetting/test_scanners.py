"""The comparison with other scanners, without them: ``nox -s scanners`` runs it for real."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.vetting import scanners
from tests.vetting.crafted import TABLE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it forks")


def test_every_file_that_the_static_check_decides_about_is_scanned(tmp_path: Path) -> None:
    files = scanners.write_files(tmp_path)
    rows = [row for row in TABLE if not row.needs_keras and row.contract is None]
    kinds = {row.kind for row in rows}
    assert set(files) == {*kinds, scanners.SOUND}
    assert sum(map(len, files.values())) > len(rows)
    assert list(files)[-1] == scanners.SOUND  # the last file is one that is safe to open


def test_a_sound_file_is_not_reported_and_another_is(tmp_path: Path) -> None:
    files = scanners.write_files(tmp_path)
    chosen = [files["code"][0], files[scanners.SOUND][0]]
    assert [scanners._vet(path) for path in chosen] == [scanners.REPORTED, scanners.NOTHING]


def test_a_scanner_that_dies_or_hangs_has_read_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(_: Path) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    def hangs(_: Path) -> int:
        time.sleep(600)
        return 0

    def fails(_: Path) -> int:
        raise ValueError

    def exits(_: Path) -> int:
        sys.exit(1)

    monkeypatch.setattr(scanners, "SECONDS", 1.0)
    path = Path("x.h5")
    assert scanners._in_a_fork(hangs, path) is None
    monkeypatch.setattr(scanners, "SECONDS", 60.0)
    codes = [scanners._in_a_fork(scan, path) for scan in (dies, fails, exits, lambda _: 0)]
    assert codes == [None, 2, 1, 0]
    assert scanners.cell(codes) == "1 (2 unread)"
    assert scanners.cell([1, 1]) == "2"
