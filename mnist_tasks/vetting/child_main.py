"""The guarded child: looks at a model file, then loads it and asks it, in a process of its own.

It runs in a folder that holds ``request.json``, the private copy of the model file and the images,
and answers on what was its standard output, one line of JSON each. Whatever a library prints goes
to standard error, which no one shows raw.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mnist_tasks.vetting import model_loading, resources
from mnist_tasks.vetting.protocol import Answer, Lacking, Refused, Request, Stage, Vetted
from mnist_tasks.vetting.static_check import Declared, vet_bytes
from mnist_tasks.vetting.untrusted_text import RefusedError, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from mnist_tasks.vetting.protocol import StageName

    Send = Callable[[Answer], None]

_FAILURES = {
    "vet": "it can't be read",
    "count": "Keras can't build it",
    "load": "Keras can't load it",
}


def main() -> None:
    """Do what the request in the working folder asks, and leave without ceremony."""
    output = os.dup(1)
    os.dup2(2, 1)

    def send(answer: Answer) -> None:
        line = memoryview(msgspec.json.encode(answer) + b"\n")
        while line:
            line = line[os.write(output, line) :]

    request = msgspec.json.decode(Path("request.json").read_bytes(), type=Request)
    resources.confine(request.limits, parent=request.parent)
    reached: list[StageName] = ["start"]

    def begin(stage: StageName) -> None:
        reached.append(stage)
        send(Stage(name=stage))

    try:
        _work(request, begin, send)
    except RefusedError as error:
        send(Refused(found=error.found, expected=error.expected))
    except Exception as error:
        send(_explain(error, reached[-1]))
    # Leaving the usual way would take TensorFlow a quarter of a second.
    os._exit(0)


def _work(request: Request, begin: Callable[[StageName], None], send: Send) -> None:
    begin("vet")
    data = Path(request.model).read_bytes()
    declared: Declared = vet_bytes(data, kind=request.kind, limits=request.limits)
    if request.vet_only:
        send(Vetted(layers=list(declared.layers), weights=declared.weights))
        return
    resources.widen(request.limits)
    begin("import")
    model_loading.prepare()
    begin("count")
    facts = model_loading.count(declared, kind=request.kind, limits=request.limits)
    if facts.no_predictions_reason is None:
        begin("load")
        model = model_loading.load(Path(request.model))
        begin("predict")
        facts = model_loading.predict(model, facts, request)
    begin("done")
    send(facts)


def _explain(error: Exception, stage: StageName) -> Refused | Lacking:
    """Say whose doing a failure is: the file's, or the machine's."""
    if stage == "import":
        return Lacking(found=f"TensorFlow or Keras can't be imported: {shown(str(error))}")
    kind = type(error).__name__
    # TensorFlow's own name for no memory is ResourceExhaustedError.
    if isinstance(error, MemoryError) or kind == "ResourceExhaustedError":
        if stage == "vet":
            return Refused(found="looking at it takes more memory than any model should need")
        return Lacking(found=f"out of memory in the stage '{stage}'")
    found = _FAILURES.get(stage, f"the stage '{stage}' failed")
    return Refused(found=f"{found}: {kind}: {shown(str(error), limit=160)}")


if __name__ == "__main__":
    main()
