"""The fuzzer of data files finds planted bugs, and a short run of it finds none."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import pytest

from mnist_tasks.data import containers
from tests import fuzz as runner
from tests.data import fuzz


def test_a_seed_always_makes_the_same_container(tmp_path: Path) -> None:
    formats = fuzz.samples(tmp_path).formats
    made = [fuzz.container(random.Random(seed), formats) for seed in (*range(50), 7)]  # noqa: S311
    assert made[7] == made[-1]
    assert len(set(made)) > 40


def test_sound_files_are_read(tmp_path: Path) -> None:
    made = fuzz.samples(tmp_path / "data")
    for files in made.formats.values():
        for name, content in files.items():
            assert fuzz.unpack(content, made.dataset, tmp_path) == "candidates", name
    for name, pack in fuzz.ARCHIVES.items():
        outcome = fuzz.unpack(pack(made.formats["idx"]), made.dataset, tmp_path)
        assert outcome == ("refused" if name == "lzma" else "candidates"), name


def test_a_short_run_finds_no_bug(capfd: pytest.CaptureFixture[str]) -> None:
    """For longer: ``python -m tests.fuzz --seconds 300 containers``."""
    counts = fuzz.run(2.0, 10_000)
    assert {"refused", "candidates"} < counts.keys()
    assert not [outcome for outcome in counts if runner.is_bug(outcome)], capfd.readouterr().err


def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        containers, "_is_containers", lambda error: not isinstance(error, zlib.error)
    )
    assert fuzz.run(3.0, 0)["EXCEPTION error"] > 0
