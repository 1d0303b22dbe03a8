"""What the system limits is named before TensorFlow is loaded, which would abort."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks import resource_limits
from mnist_tasks.environment import probe
from mnist_tasks.environment.probe import ProbeResult
from mnist_tasks.errors import EnvironmentProblemError
from tests import generated
from tests.conftest import SMALL_CLI
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Iterator

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")


@pytest.fixture
def low(request: pytest.FixtureRequest) -> Iterator[str]:
    """Lower a limit of this process during a test; return the option of `ulimit`."""
    import resource

    kind = getattr(resource, request.param)
    before = resource.getrlimit(kind)
    value = {"RLIMIT_AS": resource_limits.TENSORFLOW_BYTES - 1, "RLIMIT_NOFILE": 15}
    resource.setrlimit(kind, (value[request.param], before[1]))
    yield {"RLIMIT_AS": "-v", "RLIMIT_NOFILE": "-n"}[request.param]
    resource.setrlimit(kind, before)


@POSIX
@pytest.mark.parametrize("low", ["RLIMIT_AS", "RLIMIT_NOFILE"], indirect=True)
def test_a_low_limit_is_named_with_its_remedy(low: str) -> None:
    with pytest.raises(EnvironmentProblemError) as caught:
        resource_limits.require_for_tensorflow(threads=1)
    assert caught.value.reason == "resource-limit"
    assert f"`ulimit {low}`" in (caught.value.remedy or "")
    # The process of `doctor` failed for that reason, whatever TensorFlow said.
    finding = probe.finding(ProbeResult(failure="the process ended with SIGABRT"))
    assert finding.status == "error"
    assert "can't be imported: a limit of" in finding.found
    assert f"`ulimit {low}`" in (finding.remedy or "")


def test_threads_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    resource_limits.require_for_tensorflow(threads=4)
    assert threading.active_count() == before
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if threading.active_count() > before + 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(EnvironmentProblemError) as caught:
        resource_limits.require_for_tensorflow(threads=4)
    assert caught.value.expected == "room for 12 threads"
    assert caught.value.found == "3"
    assert "`ulimit -u`" in (caught.value.remedy or "")
    assert threading.active_count() == before


class ResourceExhaustedError(Exception):
    """TensorFlow has an error of this name."""


class InternalError(Exception):
    """And of this one."""


@pytest.mark.parametrize(
    ("error", "option"),
    [
        (MemoryError(), "-v"),
        (ResourceExhaustedError("OOM when allocating tensor"), "-v"),
        (OSError(errno.EMFILE, "Too many open files"), "-n"),
        (RuntimeError("can't start new thread"), "-u"),
        (RuntimeError("another"), None),
        (InternalError("a fault of TensorFlow"), None),
        (OSError(errno.ENOENT, "No such file"), None),
    ],
)
def test_an_exception_says_what_has_run_out(error: Exception, option: str | None) -> None:
    found = resource_limits.exhausted(error)
    assert (found is None) is (option is None)
    if found is not None:
        assert f"`ulimit {option}`" in (found.remedy or "")


@pytest.mark.parametrize(
    "error",
    [
        InternalError("{{node while/dense_1/MatMul}} No blas support for stream"),
        InternalError("Dst tensor is not initialized."),
        InternalError("failed to initialize the device: CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
        ResourceExhaustedError(
            "OOM when allocating tensor with shape[80,26,26,16] and type float on "
            "/job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc"
        ),
    ],
    ids=str,
)
def test_a_full_gpu_is_not_blamed_on_the_shell(error: Exception) -> None:
    found = resource_limits.exhausted(error)
    assert found is not None
    assert (found.subject, found.reason, found.exit_code) == ("the GPU", "resource-limit", 4)
    assert "nvidia-smi" in (found.remedy or "")
    assert "ulimit" not in (found.remedy or "")


@POSIX
@pytest.mark.parametrize(
    ("command", "limit"),
    [("train", "-v 1500000"), ("check", "-v 1500000"), ("sweep", "-v 1500000"), ("doctor", "-n 8")],
)
def test_a_command_that_is_limited(command: str, limit: str, tmp_path: Path) -> None:
    words = [command, "--json"]
    if command == "doctor":
        words.append("--offline")
    if command == "sweep":
        words += ["--recipe", "plain", "--seeds", "0", "--workers", "1"]
    generated.write(tmp_path / "data", train=512, test=128)
    (tmp_path / "model_latest.h5").write_bytes(handmade.write_h5(handmade.small()))
    if command == "train":
        words.append("--force")
    line = f'ulimit {limit}; exec "{sys.executable}" "$@"'
    data = str(tmp_path / "data")
    done = subprocess.run(
        ["bash", "-c", line, "bash", str(SMALL_CLI), data, *words],
        cwd=tmp_path,
        env={**os.environ, "MNIST_TASKS_DATA": data, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    json.loads(done.stdout)
    assert '"reason":"resource-limit"' in done.stdout.replace('": "', '":"')
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("runs/*"))
