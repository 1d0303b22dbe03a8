"""The parent's side of the guarded child: start it, hear it out, end it, leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import msgspec
import numpy as np

import mnist_tasks
from mnist_tasks.checking import protocol
from mnist_tasks.checking.inspection import Inspection, Vetted
from mnist_tasks.checking.intake import Intake, take_in
from mnist_tasks.checking.limits import DEFAULT, Limits
from mnist_tasks.checking.plain import shown
from mnist_tasks.errors import EnvironmentLacksError, InputRefusedError
from mnist_tasks.records import Layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Isolated mode (-I) sees neither the working folder nor what the environment says of Python.
_BOOT = """
import sys
sys.path.append(sys.argv.pop())
from mnist_tasks.checking.child import main
main()
"""
_LONGEST_LINE = 64 * 1024**2
# What a library may need to be found and to start; nothing else of the user's reaches the child.
_PASSED_ON = ("LD_LIBRARY_PATH", "SYSTEMROOT")


def inspect(
    path: Path,
    *,
    image_sets: Mapping[str, NDArray[np.uint8]],
    latency_runs: int = 0,
    limits: Limits = DEFAULT,
) -> Inspection:
    """Vet a model file, load it, and ask it about images; all of it in a child process.

    Parameters
    ----------
    image_sets
        By name: (n, 28, 28) uint8. The child scales them to float32 in [0, 1].
    latency_runs
        How often to time the prediction for a single image.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt or unsafe.
    EnvironmentLacksError
        TensorFlow is missing, or a file that passed the static pass ran into a limit.
    """
    intake = take_in(path, limits=limits)
    answer = _ask(intake, image_sets, latency_runs, limits, vet_only=False)
    if not isinstance(answer, protocol.Inspected):
        raise _unexpected(intake)
    probabilities = {
        name: _probabilities(answer.probabilities[name], len(images), intake)
        for name, images in image_sets.items()
        if answer.unpredicted is None
    }
    return Inspection(
        sha256=intake.sha256,
        bytes=len(intake.data),
        format=intake.format,
        layers=tuple(
            Layer(
                name=shown(layer.name),
                kind=shown(layer.kind),
                output_shape=tuple(layer.output_shape),
                parameters=layer.parameters,
            )
            for layer in answer.layers
        ),
        trainable_parameters=answer.trainable,
        non_trainable_parameters=answer.non_trainable,
        input_shapes=tuple(tuple(shape) for shape in answer.input_shapes),
        output_shapes=tuple(tuple(shape) for shape in answer.output_shapes),
        probabilities=probabilities,
        unpredicted=answer.unpredicted,
        latency=tuple(answer.latency),
    )


def vet(path: Path, *, limits: Limits = DEFAULT) -> Vetted:
    """Look at a model file without loading it: the static pass alone, in a child process.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt or unsafe.
    """
    intake = take_in(path, limits=limits)
    answer = _ask(intake, {}, 0, limits, vet_only=True)
    if not isinstance(answer, protocol.Vetted):
        raise _unexpected(intake)
    return Vetted(
        sha256=intake.sha256,
        bytes=len(intake.data),
        format=intake.format,
        layers=tuple(answer.layers),
        weights=answer.weights,
    )


def _ask(
    intake: Intake,
    image_sets: Mapping[str, NDArray[np.uint8]],
    latency_runs: int,
    limits: Limits,
    *,
    vet_only: bool,
) -> protocol.Vetted | protocol.Inspected:
    with tempfile.TemporaryDirectory(prefix="mnist-tasks-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        model = f"model.{intake.format}"
        (folder / model).write_bytes(intake.data)
        files = []
        for number, (title, images) in enumerate(image_sets.items()):
            np.save(folder / f"images-{number}.npy", images, allow_pickle=False)
            files.append((title, f"images-{number}.npy"))
        request = protocol.Request(
            model=model,
            kind=intake.format,
            vet_only=vet_only,
            image_sets=files,
            latency_runs=latency_runs,
            limits=limits,
            parent=os.getpid(),
        )
        (folder / "request.json").write_bytes(msgspec.json.encode(request))
        with _Child(folder, limits) as child:
            return child.answer(intake.name)


class _Child:
    """A child process that does not outlive its ``with`` block, nor does anything it started."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.limits = limits
        self.folder = folder
        self.stage: protocol.StageName = "start"
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        root = Path(mnist_tasks.__file__).resolve().parent.parent
        with (self.folder / "stderr.txt").open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, str(root)],
                cwd=self.folder,
                env=_environment(self.folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self.reader = threading.Thread(
            target=_read_lines, args=(self.process.stdout, self.lines), daemon=True
        )
        self.reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.reader.join(timeout=5)

    def answer(self, name: str) -> protocol.Vetted | protocol.Inspected:
        """Wait for the child's last word, stage by stage."""
        end = time.monotonic() + self.limits.wall_seconds
        while True:
            allowed = min(end - time.monotonic(), self._seconds())
            try:
                line = self.lines.get(timeout=max(0.0, allowed))
            except queue.Empty:
                raise self._overrun(name, allowed) from None
            if not line:
                raise self._died(name)
            try:
                answer: protocol.Answer = msgspec.json.decode(line, type=protocol.Answer)
            except msgspec.MsgspecError as error:
                raise InputRefusedError(
                    name, found="the process that looked at it gave no proper answer"
                ) from error
            match answer:
                case protocol.Stage():
                    self.stage = answer.name
                case protocol.Refused():
                    expected = shown(answer.expected, limit=200) if answer.expected else None
                    raise InputRefusedError(
                        name,
                        found=shown(answer.found, limit=300),
                        expected=expected,
                        remedy="don't open this file with Keras unless you trust its source",
                    )
                case protocol.Lacking():
                    raise EnvironmentLacksError(name, found=shown(answer.found, limit=300))
                case _:
                    return answer

    def _seconds(self) -> float:
        """How long the stage at hand may take."""
        if self.stage == "vet":
            return self.limits.vet_seconds
        if self.stage in {"count", "load"}:
            return self.limits.load_seconds
        return self.limits.wall_seconds

    def _overrun(self, name: str, seconds: float) -> InputRefusedError | EnvironmentLacksError:
        found = f"the stage '{self.stage}' was not done after {seconds:.0f} s"
        if self.stage == "vet":
            return InputRefusedError(name, found=found, expected="a file that reads at once")
        return EnvironmentLacksError(name, found=found, remedy="try on a machine that is less busy")

    def _died(self, name: str) -> InputRefusedError | EnvironmentLacksError:
        code = self.process.wait()
        cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
        found = f"the process that looked at it ended in the stage '{self.stage}' with {cause}"
        if self.stage == "vet":
            return InputRefusedError(name, found=found, expected="a file that HDF5 can read")
        return EnvironmentLacksError(
            name, found=found, expected=f"at most {self.limits.memory_bytes / 1024**3:.0f} GiB"
        )


def _read_lines(stream: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Pass on whole lines; an empty one says that there will be no more."""
    with stream:
        for line in iter(lambda: stream.readline(_LONGEST_LINE), b""):
            lines.put(line)
    lines.put(b"")


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    home = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "KERAS_HOME"), str(folder))
    return {
        **kept,
        **home,
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # A verdict must not depend on the device, and a GPU maps more memory than is allowed.
        "CUDA_VISIBLE_DEVICES": "-1",
        # glibc reserves 64 MiB of address space for each thread otherwise.
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
    }


def _probabilities(raw: bytes, count: int, intake: Intake) -> NDArray[np.float32]:
    values = np.frombuffer(raw, dtype="<f4") if len(raw) == 40 * count else None
    if values is None or not (np.isfinite(values) & (values >= 0) & (values <= 1)).all():
        raise _unexpected(intake)
    return values.reshape(count, 10)


def _unexpected(intake: Intake) -> InputRefusedError:
    return InputRefusedError(intake.name, found="its predictions are no probabilities")
