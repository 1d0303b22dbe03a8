"""How much of the machine an untrusted model file may use."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits for the vetting and inspection of one model file.

    Attributes
    ----------
    require_isolation
        Whether a file is not even read unless every essential protection is on.
    """

    file_bytes: int = 5_000_000

    # The model's description: its JSON, its layers (each counted once per call), nested models.
    config_bytes: int = 1_000_000
    layers: int = 250
    depth: int = 8

    # A model above one of these is measured but not loaded: parameters, numbers that one layer
    # outputs per image, multiply-adds per image.
    parameters: int = 5_000_000
    layer_elements: int = 4_000_000
    image_operations: int = 100_000_000

    # The child process: address space, in total and during the static check; CPU time.
    memory_bytes: int = 4 * 1024**3
    vet_memory_bytes: int = 768 * 1024**2
    cpu_seconds: int = 240

    # Wall-clock time: of the static check; of measuring and of loading, each; of everything.
    vet_seconds: float = 10.0
    load_seconds: float = 15.0
    wall_seconds: float = 120.0

    require_isolation: bool = False

    def raised(self, *, file_bytes: int | None, parameters: int) -> Limits:
        """Return the limits, with those for the file and its parameters raised to these values."""
        return replace(
            self,
            file_bytes=max(self.file_bytes, file_bytes or 0),
            parameters=max(self.parameters, parameters),
        )


DEFAULT = Limits()
