"""The public functions, which are also what the command line calls.

They print nothing unless ``progress=True``, and raise `MnistTasksError`, never `SystemExit`.
The parameter `data` is the folder of the data files or a `DataConfig`; the default is
``$MNIST_TASKS_DATA`` or the platform's cache folder, with ``$MNIST_TASKS_MIRROR`` as mirror. The
other variables set options of the command line only.
"""

from mnist_tasks.api.checking import check, vet
from mnist_tasks.api.data import load_data
from mnist_tasks.api.exporting import export
from mnist_tasks.api.predicting import predict, predictor
from mnist_tasks.api.reporting import report
from mnist_tasks.api.reproducing import reproduce
from mnist_tasks.api.training import train

__all__ = [
    "check",
    "export",
    "load_data",
    "predict",
    "predictor",
    "report",
    "reproduce",
    "train",
    "vet",
]
