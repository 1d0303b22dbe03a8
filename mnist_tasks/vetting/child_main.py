"""The child process: vet a model file, then load it and run inference.

Its working folder contains ``request.json``, a private copy of the model file and the images. It
sends its messages over its original standard output, one line of JSON each. Whatever libraries
print goes to standard error, which is never shown unescaped.
"""

from __future__ import annotations

import errno
import math
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from mnist_tasks.vetting.execution import (
    inference,
    keras_model,
    keras_setup,
    model_size,
    network_reader,
)
from mnist_tasks.vetting.isolation import confinement, protections, resources
from mnist_tasks.vetting.process import child_start
from mnist_tasks.vetting.protocol import (
    BrokenLibrary,
    Confined,
    EnvironmentProblem,
    Message,
    Refused,
    Request,
    Stage,
    StaticResult,
)
from mnist_tasks.vetting.static.static_check import vet_bytes
from mnist_tasks.vetting.untrusted_text import RefusedError, sanitize

_FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_FAILURES = {
    "vet": "it can't be read",
    "count": "Keras can't build it",
    "load": "Keras can't load it",
}


def main() -> None:
    """Process the request in the working folder, then end the process."""
    output = os.dup(1)
    os.dup2(2, 1)

    def send(message: Message) -> None:
        line = memoryview(msgspec.json.encode(message) + b"\n")
        while line:
            line = line[os.write(output, line) :]

    request = msgspec.json.decode(Path("request.json").read_bytes(), type=Request)
    confined = confinement.confine(request.limits, parent=request.parent)
    send(Confined(protections=list(confined)))
    if request.limits.require_isolation and protections.missing(confined):
        os._exit(0)  # the parent has the reason; the file stays unread
    stage = "start"
    try:
        for message in _process(request):
            if isinstance(message, Stage):
                stage = message.name
            send(message)
    except RefusedError as error:
        send(
            Refused(
                found=error.found,
                expected=error.expected,
                outcome=error.outcome,
                remedy=error.remedy,
            )
        )
    except Exception as error:
        send(_failure(error, stage))
    # A regular exit would take TensorFlow a quarter of a second.
    os._exit(0)


def _process(request: Request) -> Iterator[Message]:
    """Yield each stage before it begins, and the result at the end."""
    yield Stage(name="vet")
    path, limits = Path(request.model), request.limits
    declared = vet_bytes(path.read_bytes(), file_format=request.file_format, limits=limits)
    if request.options.static_only:
        yield StaticResult(
            layers=list(declared.layers),
            weights=declared.weights,
            keras_version=declared.keras_version,
        )
        return
    resources.raise_limits(limits)
    yield Stage(name="import")
    before = time.process_time()
    keras_setup.import_keras()
    library = keras_model.library_for(declared)
    allowed = limits.cpu_seconds + math.ceil(time.process_time() - before)
    request = msgspec.structs.replace(request, limits=replace(limits, cpu_seconds=allowed))
    resources.limit_cpu(allowed)
    images = request.options.image_shape
    yield Stage(name="count")
    with library.without_weights():
        model = keras_model.build(
            declared, library, file_format=request.file_format, image_shape=images
        )
        result = model_size.measure(model, declared, library, request)
    if result.no_predictions_reason is None:
        yield Stage(name="load")
        model = keras_model.load(
            declared, library, path, file_format=request.file_format, image_shape=images
        )
        if model_size.measure(model, declared, library, request) != result:
            raise RefusedError("the model that was loaded is not the one that was counted")
        yield Stage(name="predict")
        result = inference.predict(model, result, request)
        if request.options.network:
            result = msgspec.structs.replace(result, network=network_reader.read(model))
    yield Stage(name="done")
    yield result


def _failure(error: Exception, stage: str) -> Refused | EnvironmentProblem | BrokenLibrary:
    """Distinguish a bad file from a problem with the machine."""
    text, kind = str(error), type(error).__name__
    # TensorFlow raises ResourceExhaustedError where it runs out of memory, and the system's loader
    # of libraries an ImportError.
    is_full = isinstance(error, MemoryError) or kind == "ResourceExhaustedError"
    if is_full or "Cannot allocate memory" in text:
        if stage == "vet":
            return Refused(found="vetting it takes more memory than a model should need")
        return EnvironmentProblem(found=f"out of memory in stage '{stage}'")
    if stage == "import" or isinstance(error, ImportError):
        return BrokenLibrary(**child_start.describe("TensorFlow or Keras", error))
    if isinstance(error, OSError) and error.errno in _FULL_DISK:
        return EnvironmentProblem(found=f"the temporary folder: {error.strerror}")
    failure = _FAILURES.get(stage, f"stage '{stage}' failed")
    return Refused(
        found=f"{failure}: {kind}: {sanitize(text, limit=160)}",
        outcome="model-unreadable" if stage in {"vet", "load"} else "model-unsupported",
    )


if __name__ == "__main__":
    main()
