"""The numbers of a clause in words."""

from dataclasses import replace

from mnist_tasks.reporting import clause_text
from mnist_tasks.verdict import Errors
from tests.check_results import ACCURACY, BASELINE, BLIND, FINE


def test_a_share_shows_its_errors_and_its_interval() -> None:
    assert clause_text.details(ACCURACY) == (
        "480 wrong of 10,000; 443 allowed",
        "94.62–95.72% at 99%",
        "could be slightly better or worse",
    )


def test_a_ceiling_shows_how_many_errors_are_expected() -> None:
    clause = replace(ACCURACY, errors=Errors(seen=0, images=10_000, required=11))
    assert clause_text.errors(clause) == "0 wrong of 10,000; at least 11 expected"


def test_a_bound_that_needs_more_images_says_so() -> None:
    clause = replace(ACCURACY, errors=Errors(seen=0, images=100))
    assert clause_text.errors(clause) == "0 wrong of 100; too few images for this bound"


def test_a_comparison_shows_its_interval_in_points_and_its_test() -> None:
    assert clause_text.details(BASELINE) == (
        "100 wrong of 10,000",
        "-0.75 to -0.28 points at 99%",
        "shown to be worse (Tango's score test, p = 0.0012)",
    )


def test_a_clause_without_images_has_no_details() -> None:
    assert clause_text.details(FINE) == ()
    assert clause_text.details(BLIND) == ()  # the value found states the reason
