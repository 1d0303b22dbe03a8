"""The parent's side of a check: a model file goes into the guarded child, plain facts come back."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.records import Layer
from mnist_tasks.vetting import protocol
from mnist_tasks.vetting.child_process import Child
from mnist_tasks.vetting.inspection import Inspection, VettedFile
from mnist_tasks.vetting.limits import DEFAULT, Limits
from mnist_tasks.vetting.read_file import Intake, take_in
from mnist_tasks.vetting.untrusted_text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


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
    EnvironmentProblemError
        TensorFlow is missing, or a file that passed the static pass ran into a limit.
    """
    intake = take_in(path, limits=limits)
    answer = _ask(intake, image_sets, latency_runs, limits, vet_only=False)
    if not isinstance(answer, protocol.Inspected):
        raise _unexpected(intake)
    probabilities = {
        name: _probabilities(answer.probabilities[name], len(images), intake)
        for name, images in image_sets.items()
        if answer.no_predictions_reason is None
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
        no_predictions_reason=answer.no_predictions_reason,
        latency=tuple(answer.latency),
    )


def vet(path: Path, *, limits: Limits = DEFAULT) -> VettedFile:
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
    return VettedFile(
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
        with Child(folder, limits) as child:
            return child.answer(intake.name)


def _probabilities(raw: bytes, count: int, intake: Intake) -> NDArray[np.float32]:
    values = np.frombuffer(raw, dtype="<f4") if len(raw) == 40 * count else None
    if values is None or not (np.isfinite(values) & (values >= 0) & (values <= 1)).all():
        raise _unexpected(intake)
    return values.reshape(count, 10)


def _unexpected(intake: Intake) -> InputRefusedError:
    return InputRefusedError(
        intake.name, found="the process that looked at it gave no proper answer"
    )
