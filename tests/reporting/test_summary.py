"""What a confusion matrix says."""

import pytest

from mnist_tasks.records import Metrics
from mnist_tasks.reporting import summary
from mnist_tasks.reporting.summary import Confusion
from tests import examples


def matrix(cells: dict[tuple[int, int], int]) -> Metrics:
    rows = [[0] * 10 for _ in range(10)]
    for (true, said), count in cells.items():
        rows[true][said] = count
    return Metrics(confusion=tuple(map(tuple, rows)), loss=0.0)


def test_precision_goes_by_column_and_recall_by_row() -> None:
    scores = summary.by_digit(matrix({(3, 3): 6, (3, 5): 2, (5, 5): 8, (8, 3): 4}))
    assert (scores[3].precision, scores[3].recall, scores[3].support) == (0.6, 0.75, 8)
    assert (scores[5].precision, scores[5].recall, scores[5].support) == (0.8, 1.0, 8)
    assert (scores[8].precision, scores[8].recall, scores[8].support) == (None, 0.0, 4)
    assert (scores[0].precision, scores[0].recall, scores[0].support) == (None, None, 0)


def test_the_worst_confusions_come_first() -> None:
    metrics = matrix({(3, 3): 100, (4, 9): 7, (9, 4): 9, (7, 1): 1})
    assert summary.worst_confusions(metrics, 2) == (
        Confusion(truth=9, predicted=4, count=9),
        Confusion(truth=4, predicted=9, count=7),
    )


def test_a_perfect_model_confuses_nothing() -> None:
    assert summary.worst_confusions(matrix({(1, 1): 5})) == ()


def test_recalls_weighted_by_support_are_the_accuracy() -> None:
    metrics = examples.metrics()
    scores = summary.by_digit(metrics)
    hits = sum((score.recall or 0) * score.support for score in scores)
    assert hits / metrics.images == pytest.approx(metrics.accuracy)
