"""Load a split of the data set, and fetch its files first if they are missing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from mnist_tasks import constraints
from mnist_tasks.data import fetching, sources, store
from mnist_tasks.data.datasets import Split
from mnist_tasks.data.download import Progress
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import InputRefusedError


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where the data files are, and where they may be fetched from.

    Attributes
    ----------
    folder
        Folder of the data files; ``None`` is the platform's cache folder.
    mirror
        Address of a mirror to use in place of the known sources.
    offline
        Whether to forbid the use of the network.
    """

    folder: Path | None = None
    mirror: str | None = None
    offline: bool = False


def load(
    split: Split, config: DataConfig, *, progress: AbstractContextManager[Progress]
) -> LabeledImages:
    """Load one split, and fetch the data first if files are missing or damaged.

    Parameters
    ----------
    progress
        Receives the progress of a download; entered only if there is one.

    Raises
    ------
    UsageError
        The split or the mirror's address is not valid.
    InputRefusedError
        The files found are not MNIST.
    EnvironmentProblemError
        No source can be reached, or the folder can't be written.
    """
    constraints.convert_value(split, Split, "split")
    folder = config.folder or store.default_folder()
    try:
        return store.load(folder, split)
    except InputRefusedError as error:
        problem = str(error)
    chosen = sources.choose(mirror=config.mirror, offline=config.offline)
    with progress as shown:
        shown.note(problem if config.offline else f"{problem}; fetching")
        fetching.fetch(folder, chosen, progress=shown)
    return store.load(folder, split)
