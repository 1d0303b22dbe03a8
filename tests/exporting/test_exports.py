"""Real conversions of a small model, run by each runtime, and the examples in docs/export.md."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from mnist_tasks.exporting import formats
from tests import generated
from tests.conftest import SMALL_CLI, Run, small_cli_in
from tests.json_output import error_of, result_of
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from tests.conftest import CommandLine
    from tests.fork_server import ForkServer

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs" / "export.md"
HEADINGS = {"onnx": "ONNX", "litert": "LiteRT", "saved-model": "SavedModel"}
random = np.random.default_rng(0)
WEIGHTS = {
    "conv": {
        "kernel": random.normal(size=(7, 7, 1, 8)).astype("float32"),
        "bias": np.zeros(8, "float32"),
    },
    "dense": {
        "kernel": random.normal(size=(128, 10)).astype("float32") / 10,
        "bias": np.zeros(10, "float32"),
    },
}
# With the same program, but in its own words: a strict tolerance, which no other runtime keeps.
STRICT = f"""
import sys
from mnist_tasks.exporting import comparison
comparison.TOLERANCE = 0.0
sys.argv[:] = {[str(SMALL_CLI)]!r} + sys.argv[1:]
import runpy
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def require_extra() -> None:
    modules = {name for kind in formats.KINDS.values() for name in kind.modules}
    missing = sorted(name for name in modules if importlib.util.find_spec(name) is None)
    if missing and os.environ.get("REQUIRE_EXPORT") != "1":
        pytest.skip(f"not installed: {', '.join(missing)} of the extra `export`")
    assert not missing


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two models: one has a loop, and outputs logits."""
    require_extra()
    folder = tmp_path_factory.mktemp("exports")
    conv = handmade.layer(
        "Conv2D", "conv", filters=8, kernel_size=[7, 7], strides=[7, 7], activation="gelu"
    )
    layers = (handmade.input_layer(), conv, handmade.layer("Flatten", "flatten"), handmade.dense())
    model = handmade.write_h5(handmade.sequential(*layers), WEIGHTS)
    (folder / "model_latest.h5").write_bytes(model)
    rnn = handmade.sequential(
        handmade.input_layer((28, 28)),
        handmade.layer("SimpleRNN", "rnn", units=8),
        handmade.dense(activation="linear"),
    )
    rnn["config"]["build_input_shape"] = [None, 28, 28]
    shapes = {"simple_rnn/cell": ((28, 8), (8, 8), (8,)), "dense": ((8, 10), (10,))}
    weights = {
        f"layers/{layer}/vars/{number}": (0.05 * random.normal(size=shape)).astype("float32")
        for layer, each in shapes.items()
        for number, shape in enumerate(each)
    }
    model = handmade.write_keras(rnn, handmade.write_weights(weights))
    (folder / "recurrent.keras").write_bytes(model)
    images, _ = generated.digits(128, seed=1)
    Image.fromarray(images[0]).save(folder / "digit.png")
    return folder


@pytest.fixture
def export(folder: Path, fork_server: ForkServer) -> Callable[..., Run]:
    return partial(small_cli_in(folder, fork_server), "export")


@pytest.mark.parametrize("chosen", formats.KINDS)
def test_a_model_is_exported_and_runs_as_the_page_says(
    chosen: formats.Format, export: Callable[..., Run], folder: Path
) -> None:
    before = {path.name for path in folder.iterdir()}
    found = result_of(export("--format", chosen, "--json"))
    output = folder / formats.default_output(Path("model_latest.h5"), chosen)
    assert {path.name for path in folder.iterdir()} == before | {output.name, "data"}
    assert found["path"] == output.name
    assert found["images"] == 128
    assert found["largest_difference"] < 1e-5
    assert found["input"] == {
        "name": "images",
        "shape": [None, 28, 28, 1],
        "divisor": 255,
        "offset": 0,
    }
    assert found["output"] == {"name": "probabilities", "classes": [*map(str, range(10))]}
    assert found["latency_ms"] > 0
    assert found["keras_latency_ms"] > 0
    assert found["bytes"] == sum(
        path.stat().st_size for path in [output, *output.rglob("*")] if path.is_file()
    )
    card = written_card(chosen, output)
    assert card["input"] == found["input"]
    assert card["output"] == found["output"]
    assert card["model_sha256"] == found["model"]["sha256"]

    example = example_of(chosen)
    assert len(example.strip().splitlines()) <= 10
    printed = run_python(example, folder)
    image = np.asarray(Image.open(folder / "digit.png"), np.float32) / 255
    patches = image.reshape(4, 7, 4, 7).swapaxes(1, 2).reshape(16, 49)
    sums = patches @ WEIGHTS["conv"]["kernel"].reshape(49, 8)
    features = sums * (1 + np.vectorize(math.erf)(sums / math.sqrt(2))) / 2  # gelu
    scores = features.reshape(128) @ WEIGHTS["dense"]["kernel"]
    assert printed.split() == [str(scores.argmax())]


def written_card(chosen: str, output: Path) -> dict[str, Any]:
    """Return what is written into an exported model for whoever uses it."""
    card: dict[str, Any]
    if chosen == "saved-model":
        card = json.loads((output / "assets.extra" / "mnist-tasks.json").read_text())
    elif chosen == "onnx":
        onnx = importlib.import_module("onnx")
        model = onnx.load(output)
        onnx.checker.check_model(model, full_check=True)
        (text,) = (each.value for each in model.metadata_props if each.key == "mnist-tasks")
        (shape,) = (each.type.tensor_type.shape.dim for each in model.graph.input)
        assert not shape[0].dim_value  # of any size
        card = json.loads(text)
    else:
        text = re.search(rb'\{"made_by".*?\}\}', output.read_bytes())
        assert text
        card = json.loads(text[0])
    return card


def example_of(chosen: str) -> str:
    """Return the example of a format in the page."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {HEADINGS[chosen]}\n")[2]
    block = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert block
    return block[1]


def run_python(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_recurrent_layers_and_logits_and_other_pixels(
    export: Callable[..., Run], folder: Path
) -> None:
    (folder / "contract.toml").write_text('pixels = "0-255"')
    words = ("recurrent.keras", "-o", "out.tflite", "--contract", "contract.toml", "--json")
    found = result_of(export(*words))
    assert found["format"] == "litert"
    assert found["output"]["name"] == "logits"
    assert found["input"]["divisor"] == 1
    assert found["input"]["shape"] == [1, 28, 28]
    assert found["largest_difference"] < 1e-5


def test_what_predicts_otherwise_is_not_kept(folder: Path, python: CommandLine) -> None:
    output = folder / "kept.onnx"
    output.write_text("an earlier file")
    before = sorted(path.name for path in folder.iterdir())
    data = str(folder / "data")
    words = ("export", str(folder / "model_latest.h5"), "-o", str(output), "--json")
    done = python("-c", STRICT, data, *words, env={"MNIST_TASKS_DATA": data})
    assert done.returncode == 3
    error = error_of(done)
    assert error["reason"] == "export-differs"
    assert "another class for 0 of 128 images" in error["found"]
    assert output.read_text() == "an earlier file"
    assert sorted(path.name for path in folder.iterdir()) == before
