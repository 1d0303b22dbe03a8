"""What a project's own data set is made of: the files that its table in ``pyproject.toml`` names.

Each split is a pair of IDX files, two arrays of an ``.npz`` file, or a folder of pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

Text = Annotated[str, Meta(min_length=1, max_length=1000)]


@dataclass(frozen=True, kw_only=True)
class Arrays:
    """Two arrays of an ``.npz`` file."""

    npz: Annotated[Text, Meta(description="Path of the file.")]
    images: Annotated[Text, Meta(description="Name of the array with the images.")]
    labels: Annotated[Text, Meta(description="Name of the array with the labels.")]


IdxFiles = Annotated[tuple[Text, ...], Meta(extra_json_schema={"minItems": 2, "maxItems": 2})]
SplitOrigin = IdxFiles | Arrays | Text
"""Paths of the images and the labels; arrays; or the path of a folder with one for each class."""


def paths(made_of: SplitOrigin) -> tuple[str, ...]:
    """Return the paths of the files or the folder that a split is made of."""
    if isinstance(made_of, str):
        return (made_of,)
    return (made_of.npz,) if isinstance(made_of, Arrays) else made_of


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a project's own data set comes from.

    Attributes
    ----------
    folder
        Folder of the ``pyproject.toml``, to which the paths are relative.
    classes
        Names of the classes; ``None`` if the folders of pictures name them.
    mirrors
        Addresses of folders on web servers with the same files; each ends in ``/``.
    """

    name: str
    folder: Path
    train: SplitOrigin
    test: SplitOrigin
    classes: tuple[str, ...] | None = None
    mirrors: tuple[str, ...] = ()

    def split(self, name: Literal["train", "test"]) -> SplitOrigin:
        """Return what a split is made of."""
        return self.train if name == "train" else self.test

    @property
    def lock_command(self) -> str:
        """The command that locks the data set."""
        return f"mnist-tasks fetch --dataset {self.name} --lock"
