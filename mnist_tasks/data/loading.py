"""Load a split of the data set, and fetch its files first if they are missing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from mnist_tasks import constraints
from mnist_tasks.data import datasets, fetching, project_files, sources, store
from mnist_tasks.data.datasets import Dataset, Split
from mnist_tasks.data.download import Progress
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import InputRefusedError


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where the data files are, and where they may be fetched from.

    Attributes
    ----------
    folder
        Folder of the data files, as in `store.folder_of`; ``None`` is the platform's cache folder.
    mirror
        Address of a mirror to use in place of the known sources.
    offline
        Whether to forbid the use of the network.
    dataset
        The data set; MNIST by default.
    """

    folder: Path | None = None
    mirror: str | None = None
    offline: bool = False
    dataset: Dataset = field(default_factory=datasets.default)

    @property
    def files_folder(self) -> Path:
        """The folder of the data set's own files."""
        return store.folder_of(self.dataset, self.folder)


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
        The files found are not those of the data set.
    EnvironmentProblemError
        No source can be reached, or the folder can't be written.
    """
    constraints.convert_value(split, Split, "split")
    folder, dataset = config.files_folder, config.dataset
    try:
        return store.load(folder, split, dataset)
    except InputRefusedError as error:
        problem = str(error)
    chosen = sources.choose(dataset, mirror=config.mirror, offline=config.offline)
    project_files.require_unchanged(dataset)
    with progress as shown:
        shown.note(problem if config.offline else f"{problem}; fetching")
        fetching.fetch(folder, chosen, progress=shown, dataset=dataset)
    return store.load(folder, split, dataset)
