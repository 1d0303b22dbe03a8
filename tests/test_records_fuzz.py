"""The fuzzer of records and TOML files finds a planted bug, and a short run of it finds none."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import disk
from tests import fuzz, records_fuzz

if TYPE_CHECKING:
    import pytest


def test_a_seed_always_makes_the_same_document() -> None:
    def made(seed: int) -> bytes:
        dice = random.Random(seed)  # noqa: S311
        _, content = records_fuzz.samples()["project"]
        return records_fuzz.damaged(dice, content)

    assert made(7) == made(7)
    assert len({made(seed) for seed in range(50)}) > 40


def test_sound_documents_are_read() -> None:
    with records_fuzz.prepared() as folder:
        for name, (read, content) in records_fuzz.samples().items():
            dice = random.Random(0)  # noqa: S311
            assert records_fuzz.tried(read, dice, content, folder) == "read", name


def test_a_short_run_finds_no_bug(capfd: pytest.CaptureFixture[str]) -> None:
    """For longer: ``python -m tests.fuzz --seconds 300 records``."""
    counts = records_fuzz.run(2.0, 10_000)
    assert any(outcome.endswith("refused") for outcome in counts)
    assert not [outcome for outcome in counts if fuzz.is_bug(outcome)], capfd.readouterr().err


def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: Path, *, limit: int = 0) -> bytes:
        content = path.read_bytes()
        if not content.isascii():
            raise KeyError(limit)
        return content

    monkeypatch.setattr(disk, "read_regular", read)
    counts = records_fuzz.run(4.0, 0)
    assert counts["EXCEPTION KeyError"] > 0
