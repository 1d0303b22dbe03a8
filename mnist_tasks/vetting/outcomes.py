"""The outcomes for a model file that is refused, and what to do about each."""

from __future__ import annotations

from typing import Literal

#: It can run code; it has something that this program doesn't know, so that it was not evaluated;
#: it can't be read. These are also the `reason` of the error.
Outcome = Literal["model-can-run-code", "model-unsupported", "model-unreadable"]

REMEDIES: dict[Outcome, str] = {
    "model-can-run-code": "Don't open this file with Keras unless you trust its source.",
    "model-unsupported": "The model was not evaluated, and nothing is known about its safety: "
    "open it only if you trust its source.",
    "model-unreadable": "Get the file anew, or save the model again with model.save().",
}
