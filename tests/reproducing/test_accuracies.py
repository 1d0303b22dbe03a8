"""Two accuracies on the same images: which images, and whether chance explains the difference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.check_records import Metrics
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.records import RunRecord, Trial
from mnist_tasks.reproducing import accuracies
from tests import examples

if TYPE_CHECKING:
    from numpy.typing import NDArray

WRONG = 12  # of the repetition's model, on any images


def images(count: int) -> LabeledImages:
    labels = (np.arange(count) % 10).astype(np.uint8)
    return LabeledImages(images=np.zeros((count, 28, 28), np.uint8), labels=labels)


def predict(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return predictions, the first of which are wrong."""
    labels = np.arange(len(pixels)) % 10
    labels[:WRONG] += 1
    found: NDArray[np.float32] = np.eye(11, dtype=np.float32)[labels]
    return found


def trial(evaluated_on: Any, metrics: Metrics) -> Trial:
    return Trial(settings={}, evaluated_on=evaluated_on, metrics=metrics, worker="", attempts=1)


def compare(record: RunRecord, **epoch: Any) -> accuracies.Accuracies | None:
    repeated = replace(record, epochs=(replace(record.epochs[-1], **epoch),))
    return accuracies.comparable(
        record, repeated, training=images(500), test=lambda: images(100), predict=predict
    )


def counts(found: accuracies.Accuracies | None) -> tuple[str, int, int, int]:
    assert found is not None
    return found.measured_on, found.images, found.recorded, found.found


def test_a_checked_run_is_compared_on_the_test_images() -> None:
    checked = replace(examples.run(checked=examples.check()), trial=trial("validation", metrics()))
    assert counts(compare(checked)) == ("test", 100, 90, 100 - WRONG)


def metrics() -> Metrics:
    return replace(examples.metrics())


@pytest.mark.parametrize("evaluated_on", ["test", "validation"])
def test_a_run_of_a_sweep_is_compared_on_its_images(evaluated_on: str) -> None:
    swept = replace(examples.run(), trial=trial(evaluated_on, metrics()))
    assert counts(compare(swept)) == (evaluated_on, 100, 90, 100 - WRONG)


def test_the_validation_images_of_a_sweep_are_the_last_ones() -> None:
    seen: list[int] = []

    def note(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        seen.append(int(pixels[0, 0, 0]))
        return predict(pixels)

    training = images(500)
    training.images[400] = 7
    swept = replace(examples.run(), trial=trial("validation", metrics()))
    accuracies.comparable(swept, swept, training=training, test=lambda: images(100), predict=note)
    assert seen == [7]


def test_other_runs_are_compared_by_what_the_epochs_have() -> None:
    run = examples.run()
    epoch = replace(run.epochs[0], accuracy=0.9, validation_accuracy=0.8)
    both = replace(run, epochs=(epoch,), validation=50)
    assert counts(compare(both, validation_accuracy=0.82)) == ("validation", 50, 40, 41)
    alone = replace(both, epochs=(replace(epoch, validation_accuracy=None),))
    assert counts(compare(alone, accuracy=0.94)) == ("training", 450, 405, 423)
    assert counts(compare(replace(alone, limit=100), accuracy=0.94)) == ("training", 100, 90, 94)
    unknown = replace(run, epochs=(replace(epoch, accuracy=None, validation_accuracy=None),))
    assert compare(unknown) is None


def test_other_test_images_are_not_compared() -> None:
    checked = examples.run(checked=examples.check())
    found = accuracies.comparable(
        checked, checked, training=images(500), test=lambda: images(101), predict=predict
    )
    assert found is not None
    assert found.measured_on == "training"


def test_test_images_of_other_files_are_not_compared() -> None:
    """A check can be on images of the user's own, as many as those of the data set."""
    here, elsewhere = "aa" * 32, "bb" * 32
    test = replace(images(100), sha256={"images": here, "labels": "cc" * 32})
    measured_on = []
    for known in (here, elsewhere, None):
        check = replace(examples.check(), test_images=known)
        checked = replace(examples.run(checked=check), trial=trial("validation", metrics()))
        found = accuracies.comparable(
            checked, checked, training=images(500), test=lambda: test, predict=predict
        )
        measured_on.append(counts(found)[0])
    assert measured_on == ["test", "validation", "test"]


@pytest.mark.parametrize(
    ("recorded", "found", "within"),
    [
        (81, 81, True),
        (81, 118, True),
        (81, 119, False),
        (119, 81, False),
        (0, 0, True),
        (9999, 9988, False),
    ],
)
def test_chance_explains_a_difference_that_it_makes_once_in_a_hundred(
    recorded: int, found: int, *, within: bool
) -> None:
    """The counts are of wrong predictions; where most are wrong, the correct ones count."""
    result = accuracies.of("test", 10_000, 10_000 - recorded, 10_000 - found)
    assert result.within_chance == within
    assert 0 <= result.p_value <= 1
    assert accuracies.of("test", 10_000, recorded, found).p_value == result.p_value
