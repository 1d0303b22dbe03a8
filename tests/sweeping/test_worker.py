"""What Ctrl-C does to a worker that has just begun: nothing, since its parent ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_tasks.sweeping import worker

WORKERS = """
import os, sys, time
from pathlib import Path
from mnist_tasks.sweeping.worker import Worker

if __name__ == "__main__":
    workers = [Worker(time.time, Path(sys.argv[1])) for _ in range(2)]
    for each in workers:
        print(Path(f"/proc/{each.process.pid}/status").read_text())
        each.end()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_worker_is_deaf_to_ctrl_c_the_first_one_too(tmp_path: Path) -> None:
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    masks = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("SigBlk")]
    assert len(masks) == 2
    for mask in masks:
        assert int(mask, 16) & 1 << (signal.SIGINT - 1)


@pytest.mark.skipif(sys.platform == "win32", reason="has no masks of signals")
def test_ctrl_c_waits_until_a_worker_has_begun() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    steps = []

    def interrupt_a_start() -> None:
        with worker.deaf_to_ctrl_c():
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("blocked")
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # as another thread is
            steps.append("heard")

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupt_a_start()
    finally:
        signal.signal(signal.SIGINT, before)
    assert steps == ["blocked", "heard"]
