"""The user's own code, as the record of a run keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mnist_tasks import record_ranges as ranges


@dataclass(frozen=True, kw_only=True)
class NetworkSource:
    """The user's code that a run trained, as its file was when the run began.

    Attributes
    ----------
    path
        As it was named; empty if the function is in no file.
    function
        The function that returned the model.
    sha256
        Of the file.
    imports
        SHA-256 of the files in its folder that it imports, by path.
    """

    path: str
    function: str
    text: str
    sha256: ranges.Sha256
    imports: dict[str, ranges.Sha256] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Script:
    """The user's own script, or the cells of her notebook, as they were when the run began.

    Attributes
    ----------
    path
        Empty for a notebook whose name is unknown.
    text
        Empty if it is too long to be kept.
    """

    path: str
    sha256: ranges.Sha256
    text: str
