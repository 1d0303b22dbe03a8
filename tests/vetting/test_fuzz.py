"""The fuzzer finds a planted bug, and a short run of it finds none."""

from __future__ import annotations

import random

import pytest

from mnist_tasks.vetting.limits import DEFAULT
from mnist_tasks.vetting.static import model_config
from mnist_tasks.vetting.static.static_check import vet_bytes
from mnist_tasks.vetting.untrusted_text import RefusedError
from tests.fuzz import is_bug
from tests.vetting import fuzz


def test_a_seed_always_makes_the_same_file() -> None:
    assert fuzz.case(7) == fuzz.case(7)
    assert len({fuzz.case(seed) for seed in range(50)}) > 40


def test_valid_files_pass() -> None:
    for kind, data in fuzz.valid_files().values():
        vet_bytes(data, file_format=kind, limits=DEFAULT)


@pytest.mark.slow
def test_a_short_run_finds_no_bug() -> None:
    counts = fuzz.run(4.0, 2000)
    assert counts["refused"] > 50
    assert not [outcome for outcome in counts if is_bug(outcome)]


def test_a_type_error_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list can't be looked up in a set: it raises a TypeError."""
    monkeypatch.setattr(model_config, "_is_one_of", lambda value, words: value in words)
    kinds = set()
    # Only the JSON is changed: nothing would end this process if HDF5 hung.
    kind, data = fuzz.valid_files()["sequential keras"]
    for seed in range(400):
        changed = fuzz.regrafted(random.Random(seed), data)  # noqa: S311
        try:
            vet_bytes(changed, file_format=kind, limits=DEFAULT)
        except RefusedError:
            continue
        except TypeError as error:
            kinds.add(type(error))
    assert kinds == {TypeError}
