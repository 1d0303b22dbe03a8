"""TensorFlow, started once for all tests of this folder, with the default recipe's threads."""

import pytest

from mnist_tasks.config import TrainingConfig
from mnist_tasks.training import recipes, tensorflow_setup


@pytest.fixture(scope="session")
def tensorflow() -> None:
    tensorflow_setup.import_tensorflow()
    tensorflow_setup.prepare(TrainingConfig(), micro_batches=recipes.DEFAULT.micro_batches)
