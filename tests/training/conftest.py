"""TensorFlow, started once for all tests of this folder, with the default recipe's threads."""

import pytest

from mnist_tasks.config import TrainingConfig
from mnist_tasks.training import devices, recipes


@pytest.fixture(scope="session")
def tensorflow() -> None:
    devices.import_tensorflow()
    devices.prepare(TrainingConfig(), micro_batches=recipes.DEFAULT.micro_batches)
