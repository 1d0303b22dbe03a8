"""How a typed project uses the API. mypy checks this file against the installed wheel."""

from pathlib import Path
from typing import assert_type

import mnist_tasks
from mnist_tasks.check_records import Check
from mnist_tasks.exporting.results import Export
from mnist_tasks.predicting.predictor import Prediction
from mnist_tasks.records import RunRecord
from mnist_tasks.reproducing.results import Reproduction


def use() -> float:
    digits = mnist_tasks.load_data("test")
    images, labels = digits
    print(images.shape, labels.shape)
    run = mnist_tasks.train(epochs=1, seed=7, settings={"max_shift": 0})
    assert_type(run, RunRecord)
    check = mnist_tasks.check("model_latest.h5")
    assert_type(check, Check)
    vetted = mnist_tasks.vet("model_latest.h5")
    print(vetted.layers)
    assert_type(mnist_tasks.report(), Path)
    assert_type(mnist_tasks.export("model_latest.h5", format="onnx"), Export)
    assert_type(mnist_tasks.predict("photo.png"), Prediction)
    print(mnist_tasks.predict(images[0], raw=True).image.shape)
    assert_type(mnist_tasks.reproduce("latest", threads=2), Reproduction)
    return check.metrics.accuracy if check.metrics else 0.0
