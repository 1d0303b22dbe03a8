"""Vet and run a small sound model as `check` does, to find out whether this machine can."""

from __future__ import annotations

import atexit
import threading
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

from mnist_tasks import dataset_info, install
from mnist_tasks.environment.diagnosis import Finding
from mnist_tasks.errors import InputRefusedError, MnistTasksError
from mnist_tasks.vetting.isolation.protections import summary

SAMPLE = Path(__file__).with_name("sample.h5")
_MOST_SECONDS = 10.0


def finding(*, loads: bool) -> Finding:
    """Report whether model files can be vetted, and the protections that were on.

    Parameters
    ----------
    loads
        Whether to load and run the model, too, for which TensorFlow is needed.
    """
    make = partial(Finding, topic="vetting", name="process")
    remedy = f"Run {install.command()}."
    try:
        import numpy as np

        from mnist_tasks.vetting import sandbox
        from mnist_tasks.vetting.process import child_process
    except ImportError as error:
        problem = install.import_problem(error)
        found = f"can't be started: {problem.subject}: {problem.found}"
        return make(status="error", found=found, remedy=problem.remedy)

    # Ctrl-C ends a daemon thread that waits here without unwinding it.
    ended = threading.Event()

    def end() -> None:
        latest = time.monotonic() + _MOST_SECONDS
        while not ended.wait(0.1) and time.monotonic() < latest:
            child_process.end_all()

    atexit.register(end)
    start = time.perf_counter()
    try:
        if loads:
            images = {"zeros": np.zeros((10, *dataset_info.MNIST.array_shape), np.uint8)}
            protections = sandbox.inspect(SAMPLE, image_sets=images).protections
        else:
            protections = sandbox.vet(SAMPLE).protections
    except MnistTasksError as error:
        cause = error.found if error.subject == str(SAMPLE) else f"{error.subject}: {error.found}"
        if isinstance(error, InputRefusedError):  # the model is sound
            remedy = f"Run {install.repair('h5py')}."
        elif error.remedy and "doctor" not in error.remedy:
            remedy = error.remedy
        facts = {"reason": error.reason}
        what = "load" if loads else "vet"
        return make(
            status="error", found=f"can't {what} a model: {cause}", remedy=remedy, facts=facts
        )
    finally:
        ended.set()
        atexit.unregister(end)
    seconds = time.perf_counter() - start
    on, others = summary(protections)
    what = "vetted, loaded and ran" if loads else "vetted"
    return make(
        found=f"{what} a model in {seconds:.1f} s; {on}",
        details=tuple(others),
        facts={
            "loaded": loads,
            "seconds": round(seconds, 2),
            "protections": [asdict(each) for each in protections],
        },
    )
