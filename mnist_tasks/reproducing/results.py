"""Whether a run was reproduced: the decision, from what was recorded and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from mnist_tasks import stats
from mnist_tasks.records import Epoch, Machine, RunRecord
from mnist_tasks.reproducing.accuracies import Accuracies
from mnist_tasks.reproducing.differences import Difference

Status = Literal["same bytes", "same results", "same accuracy", "other bytes", "other accuracy"]
REPRODUCED: tuple[Status, ...] = ("same bytes", "same results", "same accuracy")


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """A run, trained again as its record says.

    Attributes
    ----------
    run
        The id of the recorded run.
    recipe
        The name of its recipe or network.
    status
        ``same bytes``: the model files are the same. ``same results``: loss and accuracy are, to
        the last digit, of ``.keras`` files, which contain their date. ``same accuracy``: the bytes
        are not, as the differences explain, but the accuracy is within chance. ``other bytes``:
        they are not, and nothing explains it, or no accuracy is recorded that could be compared.
        ``other accuracy``: it is not within chance.
    reproduced
        Whether the status is one of the first three.
    reason
        Why, in a sentence.
    recorded_sha256, sha256
        Of the recorded model file, and of the one that was made.
    differences
        What differs between the two trainings and can change how they round.
    accuracies
        On the same images; ``None`` if it was not needed, or nothing is recorded.
    recorded_loss, loss
        The training loss of the last epoch.
    machine
        That of the repetition.
    seconds
        How long the repetition took to train.
    output
        The model file that was kept; ``None`` if none was wanted.
    """

    run: str
    recipe: str
    seed: int
    status: Status
    reproduced: bool
    reason: str
    recorded_sha256: str
    sha256: str
    differences: tuple[Difference, ...]
    accuracies: Accuracies | None
    recorded_loss: float
    loss: float
    machine: Machine
    seconds: float
    output: str | None = None


def same(recorded: RunRecord, found: RunRecord) -> Status | None:
    """Return how two trainings are the same; ``None`` if they are not."""
    if recorded.model.sha256 == found.model.sha256:
        return "same bytes"
    if _is_dated(recorded) and same_results(recorded, found):
        return "same results"
    return None


def same_results(recorded: RunRecord, found: RunRecord) -> bool:
    """Whether loss and accuracy are the same to the last digit.

    A record may lack the curve, and all epochs but the last ones.
    """
    same_curve = not recorded.curve or recorded.curve == found.curve
    before, now = ([_results(each) for each in run.epochs] for run in (recorded, found))
    return same_curve and before == now[-len(before) :]


def decide(differences: tuple[Difference, ...], accuracies: Accuracies | None) -> Status:
    """Return whether a run was reproduced whose model file is another one."""
    if accuracies and not accuracies.within_chance:
        return "other accuracy"
    return "same accuracy" if differences and accuracies else "other bytes"


def reason(
    status: Status,
    recorded: RunRecord,
    found: RunRecord,
    differences: tuple[Difference, ...],
    accuracies: Accuracies | None,
) -> str:
    """Return why a run was reproduced or was not, in a sentence or two."""
    if status == "same bytes":
        return "The model files are the same, byte for byte."
    if status == "same results":
        return (
            "Loss and accuracy are the same to the last digit. The bytes of .keras files can't be "
            "compared: each contains its date."
        )
    text = "The model files are different, and nothing that is recorded explains it."
    if differences:
        names = ", ".join(each.what for each in differences)
        text = f"The model files are different. What else differs: {names}."
    elif same_results(recorded, found):
        text += " Loss and accuracy are the same to the last digit."
    if accuracies is None:
        return f"{text} No accuracy is recorded that could be compared."
    p_value = stats.p_value(accuracies.p_value)
    within = "within chance" if accuracies.within_chance else "more than chance explains"
    return f"{text} The difference in accuracy is {within} ({p_value})."


def _is_dated(record: RunRecord) -> bool:
    """Whether the model file contains its date."""
    return PurePath(record.model.path).suffix == ".keras"


def _results(epoch: Epoch) -> tuple[float | None, ...]:
    return epoch.epoch, epoch.loss, epoch.accuracy, epoch.validation_loss, epoch.validation_accuracy
