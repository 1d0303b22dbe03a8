"""A progress for tests."""

from __future__ import annotations


class Recorder:
    """A progress that records its calls."""

    def __init__(self) -> None:
        self.begun: tuple[int, int] | None = None
        self.steps: list[tuple[int, int, float, float]] = []
        self.notes: list[str] = []

    def begin(self, epochs: int, images: int) -> None:
        self.begun = (epochs, images)

    def advance(self, epoch: int, images: int, loss: float, accuracy: float) -> None:
        self.steps.append((epoch, images, loss, accuracy))

    def note(self, message: str) -> None:
        self.notes.append(message)
