"""The page computes what Keras computes, for each recipe."""

from __future__ import annotations

import base64
import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks import api
from mnist_tasks.demo.build import build
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
optimizer = "sgd"
learning_rate = 0.1
warmup_fraction = 0.2
final_learning_rate_fraction = 0
layers = [
  { layer = "Conv", filters = 7, kernel = 5, stride = 2, padding = "same" },
  { layer = "BatchNorm" },
  { layer = "Dropout", rate = 0.05, whole_maps = true },
  { layer = "Conv", filters = 10, kernel = 3, padding = "same" },
  { layer = "AveragePool", size = 2 },
  { layer = "BatchNorm", momentum = 0.5 },
  { layer = "Conv", filters = 12, kernel = 2 },
  { layer = "MaxPool", size = 2 },
  { layer = "SeparableConv", filters = 14, kernel = 2, batch_norm = true },
  { layer = "GlobalAveragePool" },
  { layer = "Conv", filters = 16, kernel = 1, batch_norm = true },
  { layer = "Dropout", rate = 0.1 },
]
"""
# It is the arithmetic that is tested: a short training gives weights of the usual sizes.
BRIEF = ("--limit", "6000", "--epochs", "2", "--set", "ema_momentum=0.9")
OPTIONS = {
    "default": ("--limit", "6000"),
    "plain": ("--limit", "6000", "--batch-size", "16", "--learning-rate", "0.1"),
    "accurate": BRIEF,
    "small": BRIEF,
    "tiny": BRIEF,
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


@pytest.mark.parametrize("name", OPTIONS)
def test_test_images_are_predicted_as_by_keras(
    name: str, visit: Callable[..., Visit], test_images: Any, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(OWN)
    command = [sys.executable, "-m", "mnist_tasks", "train", "--recipe", name, *OPTIONS[name]]
    subprocess.run([*command, "--output", "model.h5", "--quiet"], cwd=tmp_path, check=True)
    count = 500
    images, labels = np.asarray(test_images.images)[:count], test_images.labels[:count]
    demo = build(tmp_path / "model.h5", test_images.info, test_images.first(count))
    page = visit(demo.html).page
    page.evaluate(PREDICT, base64.b64encode(images.tobytes()).decode())
    page.wait_for_function("() => window.found", timeout=600_000)
    found = np.reshape(page.evaluate("window.found"), (count, 10))
    expected = demo.probabilities
    assert expected is not None
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert (expected.argmax(axis=1) == labels).mean() > 0.8
    difference = float(np.abs(found - expected).max())
    print(f"the largest difference is {difference:.1e}")
    assert difference < LARGEST_DIFFERENCE
    assert len(demo.html.encode()) < 250_000


def test_each_recipe_of_the_package_is_among_them() -> None:
    assert OPTIONS.keys() == {*recipes.RECIPES, "every-layer"}
