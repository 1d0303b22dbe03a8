"""Train a digit classifier, check it against a contract, and report the results.

Importing this package loads no library. The functions below are loaded when they are first used::

    import mnist_tasks

    images, labels = mnist_tasks.load_data("test")
    run = mnist_tasks.train(epochs=1, seed=7)
    check = mnist_tasks.check(run.model.path)
    assert check.verdict.passed
"""

from typing import TYPE_CHECKING, Any

from mnist_tasks.version import VERSION

if TYPE_CHECKING:
    from mnist_tasks.api import (
        check,
        export,
        load_data,
        predict,
        report,
        reproduce,
        train,
        vet,
    )
    from mnist_tasks.errors import MnistTasksError
    from mnist_tasks.training.run_recorder import RunRecorder

__version__ = VERSION
__all__ = [
    "MnistTasksError",
    "RunRecorder",
    "__version__",
    "check",
    "export",
    "load_data",
    "predict",
    "report",
    "reproduce",
    "train",
    "vet",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "MnistTasksError":
        from mnist_tasks.errors import MnistTasksError

        return MnistTasksError
    if name == "RunRecorder":
        from mnist_tasks.training.run_recorder import RunRecorder

        return RunRecorder
    from mnist_tasks import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
