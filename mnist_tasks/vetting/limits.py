"""How much of the machine an untrusted model file may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits for the vetting and inspection of one model file.

    Attributes
    ----------
    file_bytes
        Size of the file.
    config_bytes, layers, depth
        Size of the model's description in JSON; layers in it, each counted once per call; nesting
        of models.
    parameters, layer_elements, image_operations
        A model above one of these is measured but not loaded: parameters; numbers that one layer
        outputs per image; multiply-adds per image.
    memory_bytes, vet_memory_bytes
        Address space of the child process, in total and during the static check.
    cpu_seconds
        CPU time of the child process, over all its threads.
    vet_seconds, load_seconds, wall_seconds
        Wall-clock time: of the static check; of measuring and of loading; of everything.
    """

    file_bytes: int = 5_000_000
    config_bytes: int = 1_000_000
    layers: int = 250
    depth: int = 8
    parameters: int = 5_000_000
    layer_elements: int = 4_000_000
    image_operations: int = 100_000_000
    memory_bytes: int = 4 * 1024**3
    vet_memory_bytes: int = 768 * 1024**2
    cpu_seconds: int = 240
    vet_seconds: float = 10.0
    load_seconds: float = 15.0
    wall_seconds: float = 120.0


DEFAULT = Limits()
