"""The page computes what Keras computes: all test images of MNIST, for each recipe."""

from __future__ import annotations

import base64
import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks import api
from mnist_tasks.demo.build import Demo, build
from mnist_tasks.training import recipes
from tests.browser.conftest import lacking

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LARGEST_DIFFERENCE = 1e-4
OWN = """
[tool.mnist-tasks.recipes.every-layer]
batch_size = 64
learning_rate = 0.03
layers = [
  { layer = "Conv", filters = 7, kernel = 5, stride = 2, padding = "same" },
  { layer = "BatchNorm" },
  { layer = "Dropout", rate = 0.05, whole_maps = true },
  { layer = "Conv", filters = 10, kernel = 3, padding = "same" },
  { layer = "AveragePool", size = 2 },
  { layer = "BatchNorm", momentum = 0.5 },
  { layer = "Conv", filters = 12, kernel = 2 },
  { layer = "MaxPool", size = 2 },
  { layer = "Dropout", rate = 0.1 },
]
"""
OPTIONS = {
    "default": (),
    "plain": ("--limit", "12000", "--batch-size", "32", "--learning-rate", "0.05"),
    "every-layer": ("--limit", "6000"),
}
# In the page: the probabilities of all images, which are one row of pixels.
PREDICT = """pixels => {
  window.found = null;
  setTimeout(() => {
    const all = Uint8Array.from(atob(pixels), character => character.charCodeAt(0));
    const found = [];
    for (let start = 0; start < all.length; start += 784) {
      found.push(...predict(all.subarray(start, start + 784)));
    }
    window.found = found;
  });
}"""


@pytest.fixture(scope="module")
def test_images() -> Any:
    if importlib.util.find_spec("tensorflow") is None:
        lacking("TensorFlow is not installed: `nox -s browser` installs it")
    return api.load_data("test")


@pytest.fixture(scope="module")
def demos(test_images: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Demo]:
    """The page of each recipe of the package, and of one that has every layer."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "pyproject.toml").write_text(OWN)
    assert OPTIONS.keys() == {*recipes.RECIPES, "every-layer"}
    return {name: _trained(name, folder, test_images) for name in OPTIONS}


def _trained(name: str, folder: Path, test_images: Any) -> Demo:
    command = [sys.executable, "-m", "mnist_tasks", "train", "--recipe", name, *OPTIONS[name]]
    subprocess.run([*command, "--output", f"{name}.h5", "--quiet"], cwd=folder, check=True)
    return build(folder / f"{name}.h5", test_images.info, test_images)


def test_all_test_images_are_predicted_as_by_keras(
    visit: Callable[..., Visit], demos: dict[str, Demo], test_images: Any
) -> None:
    pixels = base64.b64encode(np.asarray(test_images.images).tobytes()).decode()
    opened = {name: visit(demo.html).page for name, demo in demos.items()}
    for page in opened.values():  # each in a process of its own
        page.evaluate(PREDICT, pixels)
    for name, page in opened.items():
        page.wait_for_function("() => window.found", timeout=600_000)
        found = np.reshape(page.evaluate("window.found"), (10_000, 10))
        expected = demos[name].probabilities
        assert expected is not None
        assert (found.argmax(axis=1) == expected.argmax(axis=1)).all(), name
        assert (expected.argmax(axis=1) == test_images.labels).mean() > 0.8, name
        difference = float(np.abs(found - expected).max())
        print(f"{name}: the largest difference is {difference:.1e}")
        assert difference < LARGEST_DIFFERENCE, name
        assert len(demos[name].html.encode()) < 250_000, name
