"""Whether a run was reproduced, and what differs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks.reproducing import accuracies, differences, results
from mnist_tasks.reproducing.differences import Difference
from tests import examples

if TYPE_CHECKING:
    from mnist_tasks.records import RunRecord

RUN = examples.run()
OTHER = replace(RUN, model=replace(RUN.model, sha256="cd" * 32))
THREADS = (Difference(what="threads", recorded="2", found="1"),)
CLOSE = accuracies.of("test", 10_000, 9919, 9921)
FAR = accuracies.of("test", 10_000, 9919, 9800)


def machine(**changed: Any) -> RunRecord:
    return replace(RUN, machine=replace(RUN.machine, **changed))


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"threads": 1}, ("threads", "2", "1")),
        ({"cpu": "AMD EPYC, avx2"}, ("processor", None, "AMD EPYC, avx2")),
        ({"device": "GPU (H100)"}, ("device", "CPU", "GPU (H100)")),
        ({"replicas": 2}, ("devices", "1", "2")),
        ({"platform": "Darwin arm64"}, ("platform", "Linux x86_64", "Darwin arm64")),
        ({"versions": {"keras": "3.16"}}, ("version of keras", "3.15.1", "3.16")),
        ({"versions": {}}, ("version of keras", "3.15.1", None)),
    ],
)
def test_what_differs_is_named(changed: dict[str, Any], what: tuple[str, str, str]) -> None:
    (found,) = differences.between(RUN, machine(**changed))
    assert (found.what, found.recorded, found.found) == what


def test_what_changes_no_bytes_is_not() -> None:
    assert differences.between(RUN, machine(cores=64)) == ()
    other = replace(RUN, id="x", created="y", command="z", seconds={"fit": 9.0})
    assert differences.between(RUN, other) == ()


def test_a_setting_that_is_gone_differs() -> None:
    (found,) = differences.between(RUN, RUN, (("average_from", 0.6),))
    assert found == Difference(what="setting average_from", recorded="0.6", found=None)


def test_the_same_bytes_are_reproduced_whatever_differs() -> None:
    assert results.same(RUN, machine(threads=9)) == "same bytes"
    assert results.same(RUN, OTHER) is None


def test_results_to_the_last_digit_are_enough_for_a_file_with_its_date() -> None:
    path = "m.keras"
    dated, other = (replace(each, model=replace(each.model, path=path)) for each in (RUN, OTHER))
    assert results.same(dated, other) == "same results"
    assert results.same(replace(dated, curve=()), other) == "same results"
    assert results.same(dated, replace(other, curve=())) is None
    close = replace(other, epochs=(replace(other.epochs[0], loss=0.13000000000000003),))
    assert results.same(dated, close) is None
    later = replace(other.epochs[0], epoch=2)
    assert results.same(dated, replace(other, epochs=(*other.epochs, later))) is None
    last = replace(dated, epochs=(later,))  # as published records have it
    assert results.same(last, replace(other, epochs=(*other.epochs, later))) == "same results"
    slower = replace(other, epochs=(replace(other.epochs[0], seconds=99.0),))
    assert results.same(dated, slower) == "same results"


@pytest.mark.parametrize(
    ("differ", "compared", "status", "words"),
    [
        (
            THREADS,
            CLOSE,
            "same accuracy",
            "What else differs: threads. The difference in accuracy is within",
        ),
        (THREADS * 2, CLOSE, "same accuracy", "What else differs: threads, threads."),
        (THREADS, FAR, "other accuracy", "more than chance explains (p < 0.0001)"),
        ((), FAR, "other accuracy", "and nothing that is recorded explains it."),
        ((), CLOSE, "other bytes", "the same to the last digit"),
        (THREADS, None, "other bytes", "No accuracy is recorded"),
    ],
)
def test_other_bytes_are_reproduced_if_something_explains_them(
    differ: tuple[Difference, ...], compared: Any, status: results.Status, words: str
) -> None:
    assert results.decide(differ, compared) == status
    assert words in results.reason(status, RUN, OTHER, differ, compared)
    assert (status in results.REPRODUCED) == status.startswith("same")


@pytest.mark.parametrize("status", ["same bytes", "same results"])
def test_the_same_is_explained(status: results.Status) -> None:
    assert "are the same" in results.reason(status, RUN, RUN, (), None)
