"""The loop over epochs prepares images in another thread where that takes long."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from mnist_tasks.data.store import LabeledImages
from mnist_tasks.training import augmentation, loop, recipes
from tests import generated


class CountingTrainer:
    """Counts the images that it gets."""

    images = 0

    def run(self, _: Any, labels: Any) -> tuple[float, int]:
        self.images += labels.size
        return 1.0, 0

    def finish(self) -> None:
        pass


@pytest.mark.parametrize("rotation", [0.0, 5.0])
@pytest.mark.parametrize("is_hers", [False, True])
def test_images_are_transformed_in_another_thread(
    rotation: float, is_hers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set()

    def transform(images: Any, _: np.random.Generator) -> Any:
        threads.add(threading.get_ident())
        return images

    monkeypatch.setattr(augmentation, "of_recipe", lambda _: transform)
    images, labels = generated.digits(300)
    trainer: Any = CountingTrainer()
    epochs, _ = loop.run(
        trainer,
        replace(recipes.DEFAULT, epochs=2, max_rotation=rotation),
        LabeledImages(images=images, labels=labels),
        seed=0,
        smallest=4,
        progress=loop.SILENT,
        augment=transform if is_hers else None,
    )
    assert (trainer.images, len(epochs)) == (600, 2)
    is_own = threads == {threading.get_ident()}
    assert is_own == (rotation == 0 or is_hers)
