"""The numbers of a run's report."""

from dataclasses import replace

import pytest

from mnist_tasks import json_text, listed_runs
from mnist_tasks.check_records import Layer, Metrics
from mnist_tasks.checking.proportions import ProportionBound
from mnist_tasks.dataset_info import MNIST
from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.reporting import clause_text, run_summary, run_text
from mnist_tasks.reporting.run_summary import Confusion
from mnist_tasks.verdict import Verdict
from tests import examples


def matrix(cells: dict[tuple[int, int], int]) -> Metrics:
    rows = [[0] * 10 for _ in range(10)]
    for (label, predicted), count in cells.items():
        rows[label][predicted] = count
    return Metrics(confusion=tuple(map(tuple, rows)), loss=0.0)


def test_precision_is_by_column_and_recall_by_row() -> None:
    scores = run_summary.by_class(
        matrix({(3, 3): 6, (3, 5): 2, (5, 5): 8, (8, 3): 4}), MNIST.classes
    )
    assert (scores[3].precision, scores[3].recall, scores[3].support) == (0.6, 0.75, 8)
    assert (scores[5].precision, scores[5].recall, scores[5].support) == (0.8, 1.0, 8)
    assert (scores[8].precision, scores[8].recall, scores[8].support) == (None, 0.0, 4)
    assert (scores[0].precision, scores[0].recall, scores[0].support) == (None, None, 0)


def test_the_worst_classes_have_the_lowest_recall() -> None:
    metrics = matrix({(3, 3): 6, (3, 5): 2, (5, 5): 8, (8, 3): 4})
    scores = run_summary.by_class(metrics, MNIST.classes)
    assert [each.name for each in run_summary.worst(scores, 4)] == ["8", "3", "5", "0"]


def test_the_most_frequent_confusions_come_first() -> None:
    metrics = matrix({(3, 3): 100, (4, 9): 7, (9, 4): 9, (7, 1): 1})
    assert run_summary.confusions(metrics)[:2] == (
        Confusion(label=9, predicted=4, count=9),
        Confusion(label=4, predicted=9, count=7),
    )


def test_a_perfect_model_confuses_nothing() -> None:
    assert run_summary.confusions(matrix({(1, 1): 5})) == ()


def test_recalls_weighted_by_support_are_the_accuracy() -> None:
    metrics = examples.metrics()
    scores = run_summary.by_class(metrics, MNIST.classes)
    correct = sum((score.recall or 0) * score.support for score in scores)
    assert correct / metrics.images == pytest.approx(metrics.accuracy)


def test_the_interval_contains_the_accuracy() -> None:
    found = run_summary.interval(examples.run(checked=examples.check()))
    assert found is not None
    low, high = found
    assert low < 0.9 < high
    assert (round(low, 4), round(high, 4)) == (0.7962, 0.954)  # Wilson's, 90 of 100, at 99%


@pytest.mark.parametrize("level", [None, 0.95])
def test_an_accuracy_has_the_interval_of_its_clause_everywhere(level: float | None) -> None:
    metrics = examples.metrics()
    bound = ProportionBound(bound=0.95, confidence=level)
    clause = bound.evaluate("test accuracy", correct=metrics.correct, images=metrics.images)
    check = replace(examples.check(), verdict=Verdict(clauses=(clause,)))
    record = examples.run(checked=check)
    listed = listed_runs.parse(json_text.to_json(record))
    assert isinstance(listed, ListedRun)
    assert listed == listed_runs.of(record)
    assert clause.interval is not None
    for run in (record, listed):
        assert run_summary.interval(run) == (clause.interval.low, clause.interval.high)
        assert run_summary.confidence(run) == clause.interval.confidence == (level or 0.99)
    shown = clause_text.interval(clause).removesuffix(f" at {level or 0.99:.0%}")
    interval = f"{level or 0.99:.0%} interval {shown}"
    assert f"({interval})" in run_text.lead(record)
    assert run_text.key_figures(record)[0].note == interval


def test_a_run_without_results_has_no_interval() -> None:
    for run in (examples.run(), listed_runs.of(examples.run())):
        assert run_summary.interval(run) is None


def test_a_run_has_the_status_of_its_verdict() -> None:
    assert run_summary.status(examples.run()) == "unchecked"
    assert run_summary.status(examples.run(checked=examples.check())) == "passed"
    assert run_summary.status(examples.run(checked=examples.check(passed=False))) == "failed"


def test_operations_are_known_only_if_all_were_counted() -> None:
    dense = Layer(name="a", kind="Dense", output_shape=(None, 10), parameters=1, operations=5)
    record = examples.run(checked=examples.check())
    assert run_summary.operations(record) is None
    assert run_summary.operations(replace(record, network=(dense, dense))) == 10
    unknown = replace(dense, operations=None)
    assert run_summary.operations(replace(record, network=(dense, unknown))) is None
