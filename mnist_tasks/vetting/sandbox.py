"""Vet and run an untrusted model file in a child process; only validated results come back.

The static check is what makes a file safe: it parses the file without Keras and refuses whatever is
not on the allow-list. Everything else here limits the damage if that check, HDF5 or Keras has a
hole. The child process

- gets a private copy of exactly the bytes that are hashed, in a temporary folder of its own;
- runs in Python's isolated mode, with a short list of environment variables, no standard input and
  no GPU, and is killed once the result is there or time is up; on Linux, so are all processes that
  it started;
- confines itself before it reads the file, and reports which protections are in force (see
  `confinement` and ``docs/untrusted-models.md``);
- is not trusted: its messages are parsed strictly, its text becomes printable ASCII, and its
  probabilities must be finite, in [0, 1] and as many as there are images.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from mnist_tasks import dataset_info, resource_limits, temporary
from mnist_tasks.check_records import Protection
from mnist_tasks.vetting import image_input, protocol
from mnist_tasks.vetting.image_input import InputFormat
from mnist_tasks.vetting.inspection import Inspection, PlantedPredictions, VettedFile
from mnist_tasks.vetting.limits import DEFAULT, Limits
from mnist_tasks.vetting.network import Network, require_valid
from mnist_tasks.vetting.process.child_errors import invalid_result
from mnist_tasks.vetting.process.child_process import ChildProcess
from mnist_tasks.vetting.read_file import EXTENSIONS, ModelFileContent, read_model_file
from mnist_tasks.vetting.untrusted_text import sanitize, version


def inspect(
    path: Path,
    *,
    image_sets: Mapping[str, NDArray[np.uint8]],
    classes: int = len(dataset_info.MNIST.classes),
    input_format: InputFormat = image_input.DEFAULT,
    latency_runs: int = 0,
    network: bool = False,
    planting: protocol.Planting | None = None,
    limits: Limits = DEFAULT,
) -> Inspection:
    """Vet a model file, load it and run inference, all in a child process.

    Parameters
    ----------
    image_sets
        By name: (n, h, w) or (n, h, w, 3) uint8, the test images first; all of one size.
    classes
        How many there are.
    input_format
        How the model gets them.
    latency_runs
        How often to measure the prediction of a single image.
    network
        Whether to return the model's arithmetic with its weights.
    planting
        Faults to plant into the model, whose predictions are returned, too.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt, unsupported or unsafe.
    EnvironmentProblemError
        TensorFlow is missing, or a file that passed the static check ran into a limit.
    """
    content = read_model_file(path, limits=limits)
    options = protocol.Options(
        image_shape=image_input.image_shape(next(iter(image_sets.values()))),
        classes=classes,
        input_format=input_format,
        latency_runs=latency_runs,
        network=network,
        planting=planting,
    )
    resource_limits.require_for_tensorflow(threads=1)
    result, protections = _run_child(content, image_sets, limits, options)
    if not isinstance(result, protocol.InspectionResult):
        raise invalid_result(content.name)
    reason = result.no_predictions_reason

    def by_set(raw: Mapping[str, bytes]) -> dict[str, NDArray[np.float32]]:
        return {
            name: _probabilities(raw.get(name, b""), (len(images), classes), content)
            for name, images in image_sets.items()
        }

    images = len(next(iter(image_sets.values())))
    tried = len(range(0, images, image_input.sample_step(images)))
    other_pixels = {
        name: _probabilities(result.other_pixels.get(name, b""), (tried, classes), content)
        for name in image_input.OTHER_CONVENTIONS
        if name in result.other_pixels and reason is None
    }
    return Inspection(
        sha256=content.sha256,
        bytes=len(content.data),
        format=content.file_format,
        keras=sanitize(result.keras, limit=30),
        keras_version=version(result.keras_version),
        layers=tuple(
            replace(
                layer,
                name=sanitize(layer.name),
                kind=sanitize(layer.kind),
                operations=None,
            )
            for layer in result.layers
        ),
        trainable_parameters=result.trainable,
        non_trainable_parameters=result.non_trainable,
        other_numbers=result.other_numbers,
        input_shapes=tuple(result.input_shapes),
        output_shapes=tuple(result.output_shapes),
        probabilities=by_set(result.probabilities) if reason is None else {},
        other_pixels=other_pixels,
        no_predictions_reason=None if reason is None else sanitize(reason, limit=300),
        latency=tuple(result.latency),
        network=_network(result, options, content) if reason is None else None,
        planted=_planted(result, options, content, by_set) if reason is None else None,
        protections=protections,
    )


def vet(path: Path, *, limits: Limits = DEFAULT) -> VettedFile:
    """Vet a model file without loading it: only the static check, in a child process.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt, unsupported or unsafe.
    """
    content = read_model_file(path, limits=limits)
    result, protections = _run_child(content, {}, limits, protocol.Options(static_only=True))
    if not isinstance(result, protocol.StaticResult):
        raise invalid_result(content.name)
    return VettedFile(
        sha256=content.sha256,
        bytes=len(content.data),
        format=content.file_format,
        layers=tuple(sanitize(layer) for layer in result.layers),
        parameters=result.weights,
        keras_version=version(result.keras_version),
        protections=protections,
        keras_opens_name=EXTENSIONS.get(path.suffix) == content.file_format,
    )


def _run_child(
    content: ModelFileContent,
    image_sets: Mapping[str, NDArray[np.uint8]],
    limits: Limits,
    options: protocol.Options,
) -> tuple[protocol.StaticResult | protocol.InspectionResult, tuple[Protection, ...]]:
    with temporary.folder() as folder:
        if not options.static_only:
            temporary.require_utf8(folder)
        model = f"model.{content.file_format}"
        files = {title: f"images-{number}.npy" for number, title in enumerate(image_sets)}
        request = protocol.Request(
            model=model,
            file_format=content.file_format,
            sha256=content.sha256,
            image_sets=list(files.items()),
            limits=limits,
            options=options,
            parent=os.getpid(),
        )
        with temporary.usable():
            (folder / model).write_bytes(content.data)
            (folder / "request.json").write_bytes(msgspec.json.encode(request))
            for title, file in files.items():
                saved = io.BytesIO()  # NumPy doesn't say why it can't write to a file
                np.save(saved, image_sets[title], allow_pickle=False)
                (folder / file).write_bytes(saved.getbuffer())
        images = options.passes * sum(map(len, image_sets.values()))
        with ChildProcess(folder, limits, images=images, classes=options.classes) as child:
            return child.wait_for_result(content.name), child.protections


def _planted(
    result: protocol.InspectionResult,
    options: protocol.Options,
    content: ModelFileContent,
    by_set: Callable[[Mapping[str, bytes]], dict[str, NDArray[np.float32]]],
) -> PlantedPredictions | None:
    found, asked = result.planted, options.planting
    if asked is None:
        return None
    if found is None or len(found.noised) != len(asked.losses):
        raise invalid_result(content.name)
    return PlantedPredictions(
        noised=tuple(by_set(each) if each else {} for each in found.noised),
        inverted=by_set(found.inverted) if found.inverted else {},
    )


def _network(
    result: protocol.InspectionResult, options: protocol.Options, content: ModelFileContent
) -> Network | None:
    """Return the network of a result, verified as far as it can be without the model."""
    found = result.network
    if found is None and not options.network:
        return None
    if found is None or len(result.input_shapes) != 1:
        raise invalid_result(content.name)
    try:
        require_valid(found, result.input_shapes[0][1:], options.classes)
    except ValueError as error:
        raise invalid_result(content.name) from error
    return msgspec.structs.replace(found, unsupported=[*map(sanitize, found.unsupported)])


def _probabilities(
    raw: bytes, shape: tuple[int, int], content: ModelFileContent
) -> NDArray[np.float32]:
    values = np.frombuffer(raw, dtype="<f4") if len(raw) == 4 * math.prod(shape) else None
    if values is None or not (np.isfinite(values) & (values >= 0) & (values <= 1)).all():
        raise invalid_result(content.name)
    return values.reshape(shape)
