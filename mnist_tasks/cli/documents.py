"""The results of commands that have no type of their own elsewhere, for ``--json``."""

from __future__ import annotations

from dataclasses import dataclass, fields

from mnist_tasks.check_records import ModelFile
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.errors import Failure
from mnist_tasks.predicting.predictor import PredictedPicture
from mnist_tasks.reporting.export_tables import Row
from mnist_tasks.vetting.inspection import VettedFile


@dataclass(frozen=True, kw_only=True)
class NewProject:
    """The folder of a new project, and the files written there."""

    folder: str
    files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class VetResult:
    """The result for one model file: it was vetted, or refused with an error.

    Attributes
    ----------
    exit_code
        The exit code of ``mnist-tasks vet`` for this file alone.
    """

    path: str
    exit_code: int
    vetted: VettedFile | None = None
    error: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class VetResults:
    """One result for each model file, in the order of the command line."""

    models: tuple[VetResult, ...]


@dataclass(frozen=True, kw_only=True)
class PicturePrediction:
    """The result for one picture: a prediction, or an error.

    Attributes
    ----------
    exit_code
        The exit code of ``mnist-tasks predict`` for this picture alone.
    predicted, runner_up
        The most probable class, and the next one.
    probability, runner_up_probability
        Theirs, in [0, 1].
    probabilities
        That of each class, in the order of the labels.
    """

    path: str
    exit_code: int
    predicted: str | None = None
    probability: float | None = None
    runner_up: str | None = None
    runner_up_probability: float | None = None
    probabilities: tuple[float, ...] = ()
    error: Failure | None = None

    @classmethod
    def of(cls, found: PredictedPicture) -> PicturePrediction:
        """Return the result for a picture."""
        if (error := found.error) is not None:
            failure = Failure.of(error)
            return cls(path=str(found.path), exit_code=error.exit_code, error=failure)
        values = vars(found.prediction) if found.prediction else {}
        names = {each.name for each in fields(cls)} & values.keys()
        return cls(path=str(found.path), exit_code=0, **{name: values[name] for name in names})


@dataclass(frozen=True, kw_only=True)
class PicturePredictions:
    """One result for each picture, in the order of the command line.

    Attributes
    ----------
    classes
        The names of the classes, in the order of the labels.
    """

    model: str
    dataset: str
    classes: tuple[str, ...]
    pictures: tuple[PicturePrediction, ...]


@dataclass(frozen=True, kw_only=True)
class RunList:
    """Runs, one row each, and why each other file or folder is none."""

    runs: tuple[Row, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PrunedRuns:
    """The runs that were deleted, and the number of checks of models that no run made."""

    deleted: tuple[str, ...]
    deleted_checks: int


@dataclass(frozen=True, kw_only=True)
class DemoPage:
    """A page to draw on, and the model in it.

    Attributes
    ----------
    dataset
        What the model was trained for.
    draws
        Whether digits can be drawn; otherwise pictures can be chosen.
    images, wrong
        How many test images the model was run on, and how many of them it got wrong; ``None``
        without the data set.
    better_pixels
        The range of pixels with which the model is clearly more accurate than with the contract's;
        ``None`` if there is none.
    """

    path: str
    bytes: int
    model: ModelFile
    dataset: DatasetInfo
    draws: bool
    images: int | None
    wrong: int | None
    better_pixels: str | None = None
