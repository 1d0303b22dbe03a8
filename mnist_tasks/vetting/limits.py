"""How much of the machine an untrusted model file may use."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from mnist_tasks import dataset_info

_USUAL_PIXELS = math.prod(dataset_info.MNIST.image_shape)


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

    # A model above one of these is measured but not loaded: parameters; for one image, the numbers
    # that all its layers output, and the operations that they take.
    parameters: int = 5_000_000
    image_numbers: int = 1_000_000
    image_operations: int = 20_000_000

    # The child process: address space, in total and during the static check.
    memory_bytes: int = 4 * 1024**3
    vet_memory_bytes: int = 768 * 1024**2

    # Its processor time: of the static check; of importing Keras, which takes ten times longer
    # without bytecode; and of everything else. Predictions, which use two cores, count half, and
    # may take more for more images than `CPU_SECONDS_IMAGES`.
    vet_cpu_seconds: int = 5
    import_cpu_seconds: int = 60
    cpu_seconds: int = 12

    # Wall-clock time, on a machine that may be ten times busier: of the static check; of measuring
    # and of loading, each; of everything.
    vet_seconds: float = 50.0
    load_seconds: float = 100.0
    wall_seconds: float = 150.0

    require_isolation: bool = False

    def raised(
        self, *, file_bytes: int | None, parameters: int, pixels: int = _USUAL_PIXELS
    ) -> Limits:
        """Return the limits, with those for the file and its parameters raised to these values.

        The limits of work and time rise in proportion to the parameters, and to the pixels of an
        image if it is larger than MNIST's.
        """
        factor = max(1.0, parameters / self.parameters)
        area = max(1.0, pixels / _USUAL_PIXELS)
        return replace(
            self,
            file_bytes=max(self.file_bytes, file_bytes or 0),
            parameters=max(self.parameters, parameters),
            image_numbers=round(self.image_numbers * area),
            image_operations=round(self.image_operations * factor * area),
            cpu_seconds=round(self.cpu_seconds * factor * area),
            load_seconds=self.load_seconds * factor,
            wall_seconds=self.wall_seconds * factor * area,
        )


DEFAULT = Limits()

CPU_SECONDS_IMAGES = 10_000
PREDICTING_CORES = 2


def share_of_images(images: int) -> float:
    """Return how many times more time predictions for this many images may take."""
    return max(1.0, images / CPU_SECONDS_IMAGES)
