"""Logs of a training for TensorBoard."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.training import tensorboard

if TYPE_CHECKING:
    from pathlib import Path


class Recorder:
    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def begin(self, *values: object) -> None:
        self.calls.append(values)

    def advance(self, *values: object) -> None:
        self.calls.append(values)

    def note(self, *values: object) -> None:
        self.calls.append(values)


def test_without_a_folder_nothing_changes() -> None:
    recorder = Recorder()
    with tensorboard.logged(recorder, None) as progress:
        assert progress is recorder


@pytest.mark.slow
def test_progress_is_logged_and_passed_on(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    recorder = Recorder()
    with tensorboard.logged(recorder, tmp_path) as progress:
        progress.note("On a CPU.")
        progress.begin(2, 100)
        progress.advance(1, 50, 2.0, 0.25)
        progress.advance(2, 100, 1.0, 0.75)
    assert recorder.calls == [("On a CPU.",), (2, 100), (1, 50, 2.0, 0.25), (2, 100, 1.0, 0.75)]
    (folder,) = tmp_path.iterdir()
    events = EventAccumulator(str(folder)).Reload()
    losses, accuracies = (
        [(event.step, event.tensor_proto.float_val[0]) for event in events.Tensors(name)]
        for name in ("loss", "accuracy")
    )
    assert losses == [(50, 2.0), (200, 1.0)]
    assert accuracies == [(50, 0.25), (200, 0.75)]


def test_a_missing_tensorboard_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    logged = tensorboard.logged(Recorder(), tmp_path)
    with pytest.raises(EnvironmentProblemError) as caught, logged:
        pass
    assert "[tensorboard]" in str(caught.value.remedy)
