"""The child process: vet a model file, then load it and run inference.

Its working folder contains ``request.json``, a private copy of the model file and the images. It
sends its messages over its original standard output, one line of JSON each. Whatever libraries
print goes to standard error, which is never shown unescaped.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mnist_tasks.vetting import model_loading, model_size, protocol, resources
from mnist_tasks.vetting.static_check import vet_bytes
from mnist_tasks.vetting.untrusted_text import RefusedError, sanitize

if TYPE_CHECKING:
    from collections.abc import Callable

_FAILURES = {
    "vet": "it can't be read",
    "count": "Keras can't build it",
    "load": "Keras can't load it",
}


def main() -> None:
    """Process the request in the working folder, then end the process."""
    output = os.dup(1)
    os.dup2(2, 1)

    def send(message: protocol.Message) -> None:
        line = memoryview(msgspec.json.encode(message) + b"\n")
        while line:
            line = line[os.write(output, line) :]

    request = msgspec.json.decode(Path("request.json").read_bytes(), type=protocol.Request)
    resources.confine(request.limits, parent=request.parent)
    stage: protocol.StageName = "start"

    def begin(name: protocol.StageName) -> None:
        nonlocal stage
        stage = name
        send(protocol.Stage(name=name))

    try:
        send(_process(request, begin))
    except RefusedError as error:
        send(protocol.Refused(found=error.found, expected=error.expected))
    except Exception as error:
        send(_failure(error, stage))
    # A regular exit would take TensorFlow a quarter of a second.
    os._exit(0)


def _process(
    request: protocol.Request, begin: Callable[[protocol.StageName], None]
) -> protocol.StaticResult | protocol.InspectionResult:
    begin("vet")
    path, limits = Path(request.model), request.limits
    declared = vet_bytes(path.read_bytes(), file_format=request.file_format, limits=limits)
    if request.static_only:
        return protocol.StaticResult(layers=list(declared.layers), weights=declared.weights)
    resources.raise_memory_limit(limits)
    begin("import")
    model_loading.import_keras()
    begin("count")
    result = model_size.measure(declared, file_format=request.file_format, limits=limits)
    if result.no_predictions_reason is None:
        begin("load")
        model = model_loading.load(path)
        begin("predict")
        result = model_loading.predict(model, result, request)
    begin("done")
    return result


def _failure(
    error: Exception, stage: protocol.StageName
) -> protocol.Refused | protocol.EnvironmentProblem:
    """Tell a bad file from a problem of the machine."""
    if stage == "import":
        return protocol.EnvironmentProblem(
            found=f"TensorFlow or Keras can't be imported: {sanitize(str(error))}"
        )
    kind = type(error).__name__
    # TensorFlow raises ResourceExhaustedError where it runs out of memory.
    if isinstance(error, MemoryError) or kind == "ResourceExhaustedError":
        if stage == "vet":
            return protocol.Refused(found="vetting it takes more memory than a model should need")
        return protocol.EnvironmentProblem(found=f"out of memory in stage '{stage}'")
    found = _FAILURES.get(stage, f"stage '{stage}' failed")
    return protocol.Refused(found=f"{found}: {kind}: {sanitize(str(error), limit=160)}")


if __name__ == "__main__":
    main()
