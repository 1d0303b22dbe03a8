"""The fuzzer finds what it looks for, and a short run of it finds nothing."""

from __future__ import annotations

import random

import pytest

from mnist_tasks.vetting import model_config
from mnist_tasks.vetting.limits import DEFAULT
from mnist_tasks.vetting.static_check import vet_bytes
from mnist_tasks.vetting.untrusted_text import RefusedError
from tests.vetting import fuzz


def test_the_same_number_gives_the_same_file() -> None:
    assert fuzz.case(7) == fuzz.case(7)
    assert len({fuzz.case(seed) for seed in range(50)}) > 40


def test_sound_files_pass() -> None:
    for kind, data in fuzz.sound().values():
        vet_bytes(data, file_format=kind, limits=DEFAULT)


@pytest.mark.slow
def test_a_short_run_ends_well() -> None:
    counts = fuzz.run(4.0, 2000)
    assert counts["refused"] > 50
    assert not [outcome for outcome in counts if outcome.startswith(("EXC", "UNP"))]


def test_a_careless_look_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Membership of a set, asked with a list, was such a slip: it raises a TypeError."""
    monkeypatch.setattr(model_config, "_is_one_of", lambda value, words: value in words)
    kinds = set()
    # Only the JSON is changed: in this process no one would end an HDF5 that hangs.
    kind, data = fuzz.sound()["sequential keras"]
    for seed in range(400):
        changed = fuzz.regrafted(random.Random(seed), data)  # noqa: S311
        try:
            vet_bytes(changed, file_format=kind, limits=DEFAULT)
        except RefusedError:
            continue
        except TypeError as error:
            kinds.add(type(error))
    assert kinds == {TypeError}
