"""Whatever the child does, the parent ends it, reports why, and leaves no process or folder."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import mnist_tasks
from mnist_tasks import install
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, MnistTasksError
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.process import child_process
from tests.conftest import restore_ctrl_c
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(mnist_tasks.__file__).parents[1]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="sessions are listed in /proc")
IMAGES = {"test": np.zeros((2, 28, 28), np.uint8)}
VET = '{"type": "stage", "name": "vet"}'
LOAD = '{"type": "stage", "name": "load"}'


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.h5"
    path.write_bytes(handmade.write_h5(handmade.small()))
    return path


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    before = children()
    yield
    assert not list(folder.iterdir())
    assert children() <= before


def children() -> set[str]:
    """Return the process ids of this process's children, zombies too; empty except on Linux."""
    threads = Path("/proc/self/task").glob("*/children")
    return {child for thread in threads for child in thread.read_text().split()}


@pytest.mark.parametrize(
    ("script", "error", "reason"),
    [
        (f"print({VET!r}, flush=True); time.sleep(60)", InputRefusedError, "'vet' did not finish"),
        (f"print({LOAD!r}, flush=True); time.sleep(60)", EnvironmentProblemError, "'load' did not"),
        ("print('{}')", InputRefusedError, "did not return a valid result"),
        ('print(\'{"type": "inspection"}\')', InputRefusedError, "did not return a valid result"),
        ("print('\\x1b[2J' * 9)", InputRefusedError, "did not return a valid result"),
        (f"print({VET!r}, flush=True); os.kill(os.getpid(), 11)", InputRefusedError, "SIGSEGV"),
        (
            f"print({LOAD!r}, flush=True); os.kill(os.getpid(), 6)",
            EnvironmentProblemError,
            "SIGABRT",
        ),
        ("sys.exit('\\x1b]0;pwned\\x07')", EnvironmentProblemError, r"\x1b]0;pwned\x07"),
        (
            f'print({LOAD!r}); print(\'{{"type": "environment-problem", "found": "\\x1b[2J"}}\')',
            InputRefusedError,
            "did not return a valid result",
        ),
        (
            'print(\'{"type": "refused", "found": "\\\\u001b[2J"}\')',
            InputRefusedError,
            r"\x1b[2J",
        ),
        (
            'print(\'{"type": "static", "layers": [], "weights": 0}\')',
            InputRefusedError,
            "valid result",
        ),
        ("print('x' * 10**7)", InputRefusedError, "did not return a valid result"),
        ("print('[' * 10**6)", InputRefusedError, "did not return a valid result"),
        (
            'print(\'{"type": "stage", "name": "vet", "x": \' + \'[\' * 10**6)',
            InputRefusedError,
            "did not return a valid result",
        ),
        # Stages are never repeated, so that their time can't be.
        (
            f"print({VET!r}); print({VET!r}, flush=True); time.sleep(60)",
            InputRefusedError,
            "valid result",
        ),
        (f"print({LOAD!r}); print({VET!r})", InputRefusedError, "did not return a valid result"),
        ("os.close(1); time.sleep(60)", InputRefusedError, "did not return a valid result"),
        (
            f"print({VET!r}, flush=True); os.kill(os.getpid(), 40)",
            InputRefusedError,
            "'vet' with signal 40",
        ),
        # Nothing in a file kills a process like that.
        (
            f"print({VET!r}, flush=True); os.kill(os.getpid(), 9)",
            EnvironmentProblemError,
            "short of memory",
        ),
        # The last line is cut off, but what happened is that the process was killed.
        (
            f"print({LOAD!r}, flush=True); os.write(1, b'{{'); os.kill(os.getpid(), 9)",
            EnvironmentProblemError,
            "SIGKILL: another process killed it, or the system",
        ),
        (
            f"print({LOAD!r}, flush=True); os.kill(os.getpid(), 24)",
            InputRefusedError,
            "stage 'load' takes too much processor time",
        ),
        ("os.kill(os.getpid(), 24)", EnvironmentProblemError, "SIGXCPU"),
    ],
)
def test_each_failure_of_the_child_has_its_reason(
    script: str,
    error: type[MnistTasksError],
    reason: str,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(child_process, "_BOOT", f"import os, sys, time\n{script}")
    limits = Limits(vet_seconds=0.5, load_seconds=0.5)
    monkeypatch.setattr(child_process, "_END_SECONDS", 1.0)
    started = time.monotonic()
    with pytest.raises(error) as caught:
        sandbox.inspect(model, image_sets=IMAGES, limits=limits)
    assert reason in caught.value.found
    assert caught.value.found.isprintable()
    assert caught.value.remedy
    assert "GiB" not in str(caught.value.expected)
    assert time.monotonic() - started < 50


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("", "stage 'start' did not finish within 5 s"),
        (f"print({LOAD!r}, flush=True)", "did not end within 5 s, in stage 'load'"),
    ],
)
def test_the_time_for_everything(
    script: str, reason: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "_BOOT", f"import time\n{script}\ntime.sleep(60)")
    with pytest.raises(EnvironmentProblemError) as caught:
        sandbox.vet(model, limits=Limits(load_seconds=30, wall_seconds=5))
    assert reason in caught.value.found
    assert caught.value.reason == "time-limit"


@pytest.mark.parametrize(
    "script",
    [
        "while True: os.write(1, b'x' * 10**6)",
        "while True: os.write(1, b'\\n' * 10**6)",
        f"while True: print('\\n'.join([{VET!r}] * 10**4))",
        "os.write(1, b'\"' + b'x' * 3 * 10**6 + b'\"\\n'); time.sleep(60)",
    ],
)
def test_a_flood_of_messages_is_not_read(
    script: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "_BOOT", f"import os, time\n{script}")
    monkeypatch.setattr(child_process, "_END_SECONDS", 1.0)
    tracemalloc.start()
    try:
        with pytest.raises(InputRefusedError, match="valid result"):
            sandbox.vet(model)
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_python_that_cant_be_started(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(EnvironmentProblemError) as caught:
        sandbox.vet(model)
    assert caught.value.subject == "/nowhere/python"


@LINUX
def test_a_supervisor_that_was_stopped_is_ended(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    pids.touch()
    stop = "os.kill(os.getppid(), signal.SIGSTOP); time.sleep(600)"
    monkeypatch.setattr(child_process, "_BOOT", f"PIDS = {str(pids)!r}{DAEMON}{stop}")
    monkeypatch.setattr(child_process, "_END_SECONDS", 1.0)
    with pytest.raises(EnvironmentProblemError):
        sandbox.vet(model, limits=Limits(wall_seconds=5))
    wait_until(lambda: not any(_alive(int(pid)) for pid in pids.read_text().split()))


# A daemon has no parent, session or terminal in common with the process that started it, and keeps
# its pipe open. This one ignores what it can.
DAEMON = """
import os, signal, sys, time
def daemonize():
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        with open(PIDS, "a") as file:
            print(os.getpid(), file=file)
        time.sleep(600)
for _ in range(20):
    daemonize()
while open(PIDS).read().count("\\n") < 20:
    time.sleep(0.01)
"""


@LINUX
@pytest.mark.parametrize(
    "end",
    [
        "os._exit(0)",
        "os.kill(os.getpid(), 11)",
        f"print({LOAD!r}, flush=True); time.sleep(600)",
        "os.kill(os.getppid(), signal.SIGTERM); time.sleep(600)",
    ],
)
def test_daemons_of_the_child_end_with_it(
    end: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    pids.touch()
    monkeypatch.setattr(child_process, "_BOOT", f"PIDS = {str(pids)!r}{DAEMON}{end}")
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        with pytest.raises(MnistTasksError):
            sandbox.vet(model, limits=Limits(load_seconds=0.1))
        # All of them have ended when the error is raised, and nothing else has.
        assert not [pid for pid in map(int, pids.read_text().split()) if _alive(pid)]
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@LINUX
def test_daemons_of_the_child_end_if_its_parent_is_killed(model: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.touch()
    boot = f"PIDS = {str(pids)!r}{DAEMON}time.sleep(600)"
    script = f"""if True:
        from pathlib import Path
        from mnist_tasks.vetting import sandbox
        from mnist_tasks.vetting.process import child_process
        child_process._BOOT = {boot!r}
        sandbox.vet(Path({str(model)!r}))
    """
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as parent:
        wait_until(lambda: pids.read_text().count("\n") == 20)
        parent.kill()
    wait_until(lambda: not any(_alive(int(pid)) for pid in pids.read_text().split()))


@LINUX
def test_children_in_threads_do_not_end_each_other(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One child ends with its daemons while others work."""
    pids = tmp_path / "pids"
    pids.touch()
    hostile = tmp_path / "hostile.h5"
    hostile.write_bytes(model.read_bytes() + b"more")
    boot = f"""
import os, time
if os.path.getsize("model.h5") == {hostile.stat().st_size}:
    exec({f"PIDS = {str(pids)!r}{DAEMON}os._exit(0)"!r})
time.sleep(1)
"""
    monkeypatch.setattr(child_process, "_BOOT", boot + child_process._BOOT)
    with ThreadPoolExecutor() as pool:
        others = [pool.submit(sandbox.vet, model) for _ in range(3)]
        with pytest.raises(EnvironmentProblemError, match="code 0"):
            sandbox.vet(hostile)
        assert [other.result().parameters for other in others] == [170] * 3
    assert not [pid for pid in map(int, pids.read_text().split()) if _alive(pid)]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for up to a minute."""
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _alive(process: int) -> bool:
    try:
        # A process that has ended stays listed until its parent waits for it.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@LINUX
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_the_child_ends_with_its_parent(end: signal.Signals, model: Path, tmp_path: Path) -> None:
    """An interrupted parent cleans up; a killed one can't, but its child ends with it."""
    script = f"""
        import os, sys
        from pathlib import Path
        from mnist_tasks.vetting import sandbox
        from mnist_tasks.vetting.process import child_process
        child_process._BOOT = child_process._BOOT.replace("main()", "", 1) + '''
        from mnist_tasks.vetting.isolation import confinement
        from mnist_tasks.vetting.limits import DEFAULT
        import os, time
        file = open({str(tmp_path / "pid")!r}, "w")
        confinement.confine(DEFAULT, parent=os.getppid())
        print(os.getpid(), file=file, flush=True)
        time.sleep(60)
        '''.replace(" " * 8, "")
        sandbox.vet(Path({str(model)!r}))
    """
    environment = {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": str(PROJECT),
    }
    boot = textwrap.dedent(script)
    with subprocess.Popen(
        [sys.executable, "-c", boot],
        env=environment,
        stderr=subprocess.DEVNULL,
        preexec_fn=restore_ctrl_c,
    ) as parent:
        for _ in range(600):
            if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
                break
            time.sleep(0.1)
        child = int((tmp_path / "pid").read_text())
        assert _alive(child)
        parent.send_signal(end)
        parent.wait(timeout=300)
    for _ in range(300):
        if not _alive(child):
            break
        time.sleep(0.1)
    assert not _alive(child)
    if end == signal.SIGINT:
        assert not list(tmp_path.glob(".mnist-tasks-*"))


def test_the_environment_of_the_child_is_clean(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setattr(
        child_process, "_BOOT", "import os, sys; sys.exit(' '.join(sorted(os.environ)))"
    )
    with pytest.raises(EnvironmentProblemError) as caught:
        sandbox.vet(model)
    assert "KERAS_HOME" in caught.value.found
    assert "SECRET" not in caught.value.found
    assert "PYTHONPATH" not in caught.value.found


@pytest.mark.slow
def test_too_little_memory_is_an_environment_problem(model: Path) -> None:
    with pytest.raises(EnvironmentProblemError) as caught:
        sandbox.inspect(model, image_sets=IMAGES, limits=Limits(memory_bytes=600 * 1024**2))
    assert "import" in caught.value.found


@pytest.mark.slow
def test_too_little_time_for_the_import_is_an_environment_problem(model: Path) -> None:
    with pytest.raises(EnvironmentProblemError) as caught:
        sandbox.inspect(model, image_sets=IMAGES, limits=Limits(import_cpu_seconds=0))
    assert "SIGXCPU" in caught.value.found


@pytest.mark.slow
def test_the_time_of_the_import_is_not_the_models(model: Path) -> None:
    """It takes ten times longer where the libraries are not compiled to bytecode."""
    inspected = sandbox.inspect(model, image_sets=IMAGES, limits=Limits(cpu_seconds=3))
    assert inspected.no_predictions_reason is None


@pytest.mark.slow
def test_predictions_that_take_too_long_are_not_measured(tmp_path: Path) -> None:
    """Processor time counts: it is the same on a busy machine."""
    # Pooling is the slowest of what may be done often: 0.1 s for each of these images.
    model = tmp_path / "slow.keras"
    up = handmade.layer("UpSampling2D", "up", size=[8, 8])
    pool = handmade.layer(
        "MaxPooling2D", "slow", pool_size=[19, 19], strides=[1, 1], padding="same"
    )
    mean = handmade.layer("GlobalAveragePooling2D", "mean")
    config = handmade.sequential(handmade.input_layer(), up, pool, mean, handmade.dense())
    weights = {
        "layers/dense/vars/0": np.zeros((1, 10), "f4"),
        "layers/dense/vars/1": np.zeros(10, "f4"),
    }
    model.write_bytes(handmade.write_keras(config, handmade.write_weights(weights)))
    images = {"test": np.zeros((10_000, 28, 28), np.uint8)}
    found = sandbox.inspect(model, image_sets=images, limits=Limits(cpu_seconds=3))
    assert "s of processor time" in (found.no_predictions_reason or "")
    assert found.probabilities == {}
    assert found.parameters == 20
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert used.ru_maxrss < 1.5 * 1024**2  # KiB on Linux


def test_a_missing_tensorflow_is_an_environment_problem(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        + child_process._BOOT
    )
    monkeypatch.setattr(child_process, "_BOOT", boot)
    with pytest.raises(EnvironmentProblemError) as caught:
        sandbox.inspect(model, image_sets=IMAGES)
    assert caught.value.subject == "TensorFlow or Keras"
    assert "import of keras halted" in caught.value.found
    assert caught.value.reason == "library-broken"
    assert install.command() in (caught.value.remedy or "")


def test_vetting_returns_what_the_file_declares(model: Path) -> None:
    vetted = sandbox.vet(model)
    assert vetted.layers == ("InputLayer", "AveragePooling2D", "Flatten", "Dense")
    assert vetted.parameters == 170
    assert vetted.format == "h5"
    assert vetted.bytes == model.stat().st_size
    assert len(vetted.sha256) == 64


def test_the_parent_imports_no_parser_of_model_files() -> None:
    script = """
        import sys
        from mnist_tasks.vetting import sandbox
        assert not {"h5py", "keras", "tensorflow"} & sys.modules.keys()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
