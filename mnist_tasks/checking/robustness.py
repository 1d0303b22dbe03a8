"""The contract's terms on perturbed images: how much, and how accurate a model must still be."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_tasks.checking.bounds import require, require_share


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Accuracy on images moved by a number of pixels, each one to its own side or corner."""

    pixels: int
    accuracy_above: float

    def __post_init__(self) -> None:
        key = "perturbed.shift"
        # MNIST leaves four pixels free around each digit: a longer way would cut it.
        require(f"{key}.pixels", self.pixels, 1 <= self.pixels <= 4, "from 1 to 4")
        require_share(f"{key}.accuracy_above", self.accuracy_above)

    @property
    def clause_name(self) -> str:
        """The name of the clause."""
        return f"accuracy shifted by {self.pixels} px"


@dataclass(frozen=True, kw_only=True)
class Rotate:
    """Accuracy on images turned by an angle, each one to its own side."""

    degrees: float
    accuracy_above: float

    def __post_init__(self) -> None:
        key = "perturbed.rotate"
        require(f"{key}.degrees", self.degrees, 0 < self.degrees <= 45, "above 0, at most 45")
        require_share(f"{key}.accuracy_above", self.accuracy_above)

    @property
    def clause_name(self) -> str:
        """The name of the clause."""
        return f"accuracy rotated by {self.degrees:g}°"


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Accuracy on images with Gaussian noise; `sigma` is a share of the range black to white."""

    sigma: float
    accuracy_above: float

    def __post_init__(self) -> None:
        key = "perturbed.noise"
        require(f"{key}.sigma", self.sigma, 0 < self.sigma <= 1, "above 0, at most 1 (white)")
        require_share(f"{key}.accuracy_above", self.accuracy_above)

    @property
    def clause_name(self) -> str:
        """The name of the clause."""
        return f"accuracy with noise of {self.sigma:g}"


@dataclass(frozen=True, kw_only=True)
class Perturbed:
    """Accuracy under perturbations, as `checking.perturbations` makes them."""

    shift: Shift | None = None
    rotate: Rotate | None = None
    noise: Noise | None = None

    def __post_init__(self) -> None:
        require("perturbed", "none of them", bool(self.by_name), "a shift, rotate or noise")

    @property
    def by_name(self) -> dict[str, Shift | Rotate | Noise]:
        """The perturbations that are asked for, by name."""
        each = {"shift": self.shift, "rotate": self.rotate, "noise": self.noise}
        return {name: asked for name, asked in each.items() if asked is not None}
