"""`small_cli` in a process that has split its CPU into two logical devices, as two GPUs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mnist_tasks.training import tensorflow_setup
from tests import small_cli


def split_cpu() -> None:
    tensorflow_setup.import_tensorflow()
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


if __name__ == "__main__":
    split_cpu()
    small_cli.run()
