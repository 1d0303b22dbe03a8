"""How much a stranger's model file may ask of the machine before it is turned away."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Every bound that the checking of one model file keeps to.

    Attributes
    ----------
    file_bytes
        The size of the file.
    config_bytes, layers, depth
        The model's description: its JSON, the layers in it (each counted as often as it is
        called), how deep models and brackets nest.
    parameters, layer_elements, image_operations
        A model past one of these is counted but not loaded: weights; numbers that one layer gives
        for one image; multiply-adds for one image.
    memory_bytes, vet_memory_bytes
        Address space of the child, in whole and during the static pass.
    cpu_seconds
        Processor time of the child, over all its threads.
    vet_seconds, load_seconds, wall_seconds
        Wall clock: of the static pass, of counting and loading (each), of the whole.
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
