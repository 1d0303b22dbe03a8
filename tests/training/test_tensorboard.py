"""TensorBoard's logs of a training."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.training import tensorboard

if TYPE_CHECKING:
    from pathlib import Path


class Heard:
    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def begin(self, *told: object) -> None:
        self.calls.append(told)

    def advance(self, *told: object) -> None:
        self.calls.append(told)


def test_without_a_folder_nothing_changes() -> None:
    heard = Heard()
    with tensorboard.logged(heard, None) as progress:
        assert progress is heard


@pytest.mark.slow
def test_what_is_told_is_passed_on_and_logged(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    heard = Heard()
    with tensorboard.logged(heard, tmp_path) as progress:
        progress.begin(2, 100)
        progress.advance(1, 50, 2.0, 0.25)
        progress.advance(2, 100, 1.0, 0.75)
    assert heard.calls == [(2, 100), (1, 50, 2.0, 0.25), (2, 100, 1.0, 0.75)]
    (folder,) = tmp_path.iterdir()
    events = EventAccumulator(str(folder)).Reload()
    losses, accuracies = (
        [(event.step, event.tensor_proto.float_val[0]) for event in events.Tensors(name)]
        for name in ("loss", "accuracy")
    )
    assert losses == [(50, 2.0), (200, 1.0)]
    assert accuracies == [(50, 0.25), (200, 0.75)]


def test_without_tensorboard_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(EnvironmentProblemError) as caught:
        tensorboard.logged(Heard(), tmp_path)
    assert "[tensorboard]" in str(caught.value.remedy)
