"""Workers that start: Ctrl-C does not reach them, and their temporary files are the sweep's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_tasks.sweeping import worker

WORKERS = """
import os, sys, tempfile, time
from pathlib import Path
from mnist_tasks import temporary
from mnist_tasks.sweeping.worker import Worker

def load():
    with temporary.folder() as folder:
        Path("seen").write_text(f"{folder.parent}\\n{tempfile.gettempdir()}")

if __name__ == "__main__":
    workers = [Worker(load, Path(sys.argv[1])) for _ in range(2)]
    while not Path("seen").exists() or not Path("seen").read_text():
        time.sleep(0.1)
    for each in workers:
        print(Path(f"/proc/{each.process.pid}/status").read_text())
        each.close()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_worker_blocks_ctrl_c_including_the_first(tmp_path: Path) -> None:
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TMPDIR": str(Path(__file__).parent),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert (tmp_path / "seen").read_text().split("\n") == [str(tmp_path)] * 2
    masks = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("SigBlk")]
    assert len(masks) == 2
    for mask in masks:
        assert int(mask, 16) & 1 << (signal.SIGINT - 1)


@pytest.mark.skipif(sys.platform == "win32", reason="no signal masks")
def test_ctrl_c_waits_until_a_worker_has_started() -> None:
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    steps = []

    def start_interrupted() -> None:
        with worker.ctrl_c_blocked():
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("blocked")
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # as in another thread
            steps.append("received")

    try:
        with pytest.raises(KeyboardInterrupt):
            start_interrupted()
    finally:
        signal.signal(signal.SIGINT, handler)
    assert steps == ["blocked", "received"]
