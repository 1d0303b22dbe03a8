"""In the child process: how much processor time predictions may take, on a busy machine, too."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mnist_tasks.vetting import limits as usual
from mnist_tasks.vetting.isolation import resources
from mnist_tasks.vetting.limits import Limits

# A single call may go on beyond the budget; then the system ends the process.
_GRACE_SECONDS = 4


class OutOfTimeError(Exception):
    """Predictions took more processor time than they may."""


class CpuBudget:
    """What is left of the processor time of this process, in seconds of `PREDICTING_CORES` cores.

    Parameters
    ----------
    images
        How many the predictions are for.
    """

    def __init__(self, limits: Limits, *, images: int) -> None:
        used = time.process_time()
        left = usual.PREDICTING_CORES * max(0.0, limits.cpu_seconds - used)
        self.seconds = left * usual.share_of_images(images)
        self.end = used + self.seconds
        resources.limit_cpu(self.end + _GRACE_SECONDS)

    def bounded(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return a function that raises `OutOfTimeError` if the budget is spent when it is called.

        It may be called from several threads.
        """

        def call(argument: Any) -> Any:
            if time.process_time() > self.end:
                raise OutOfTimeError
            return function(argument)

        return call
