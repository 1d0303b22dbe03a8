"""What a sweep runs: every setting with every seed, each a job with an id of its own.

An id follows from all that decides a run's result, so that the same plan, begun again, finds what
is done.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import msgspec

import mnist_tasks
from mnist_tasks.config import TrainingConfig
from mnist_tasks.data import datasets
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.sweeping import search_space
from mnist_tasks.sweeping.search_space import MOST_RUNS, Setting
from mnist_tasks.training import recipes

if TYPE_CHECKING:
    from pathlib import Path

DEVICES = ("cpu", "gpu")
MODEL_NAME = "model.h5"
HELD_OUT_SHARE = 6  # the last sixth of the training images: 10,000


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of a sweep.

    Attributes
    ----------
    config
        What a single ``train`` would be given, with the place where the model will stand.
    """

    id: str
    setting: Setting
    evaluated_on: Literal["validation", "test"]
    config: TrainingConfig

    @cached_property
    def micro_batches(self) -> int:
        """In how many parts the recipe computes a batch."""
        return recipes.resolve(self.config).micro_batches


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Every setting with every seed.

    Attributes
    ----------
    evaluated_on
        ``validation``: trained on what comes before the last sixth of the training images, and
        evaluated on that; ``test``: trained on all of them, and judged by the test images.
    limit
        Train on the first images only.
    threads
        Of each run.

    Raises
    ------
    UsageError
        A recipe, a setting or a seed can't be, or there are too many runs.
    """

    settings: tuple[Setting, ...] = (Setting(),)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    evaluated_on: Literal["validation", "test"] = "validation"
    limit: int | None = None
    device: str = "cpu"
    threads: int = 1

    def __post_init__(self) -> None:
        runs = len(self.settings) * len(self.seeds)
        if not 1 <= runs <= MOST_RUNS:
            raise search_space.wrong_count(runs)
        if self.device not in DEVICES:
            raise UsageError(
                "--device",
                expected=f"{' or '.join(DEVICES)}: what a run of a sweep takes must be known",
                found=printable(self.device),
            )
        most = training_images(self.evaluated_on)
        if self.limit is not None and not 1 <= self.limit <= most:
            raise UsageError(
                "--limit",
                expected=f"a whole number from 1 to {most:,}"
                + (": the others are held out" if self.evaluated_on == "validation" else ""),
                found=f"{self.limit:,}",
            )
        for setting in self.settings:
            recipes.resolve(self._config(setting, self.seeds[0]))

    def jobs(self, folder: Path) -> tuple[Job, ...]:
        """Return the runs, every setting with one seed before any with the next."""
        digests = {setting: self._digest_of(setting) for setting in self.settings}
        return tuple(
            self._job(setting, f"{setting.recipe}-{digests[setting]}-{seed}", seed, folder)
            for seed, setting in itertools.product(self.seeds, self.settings)
        )

    @property
    def name(self) -> str:
        """A name that the same plan always has: 8 hexadecimal digits."""
        return _digest([self.seeds, *map(self._digest_of, self.settings)])

    def _digest_of(self, setting: Setting) -> str:
        """Return a digest of all that decides a result, but for the seed."""
        config = self._config(setting, self.seeds[0])
        # The recipe as it stands in the code, and not its name alone: it may be edited.
        recipe = recipes.as_record(recipes.resolve(config))
        return _digest(
            [setting, recipe, config.limit, self.evaluated_on, config.device, config.threads]
        )

    def _job(self, setting: Setting, name: str, seed: int, folder: Path) -> Job:
        config = self._config(setting, seed)
        return Job(
            id=name,
            setting=setting,
            evaluated_on=self.evaluated_on,
            config=replace(config, output=folder / name / MODEL_NAME),
        )

    def _config(self, setting: Setting, seed: int) -> TrainingConfig:
        whole = training_images("test")
        images = self.limit or training_images(self.evaluated_on)
        return TrainingConfig(
            recipe=setting.recipe,
            settings=setting.values,
            seed=seed,
            limit=None if images == whole else images,
            device=self.device,
            threads=self.threads,
        )


def validation_images() -> int:
    """Return how many of the last training images a sweep judges by: 10,000 of MNIST's."""
    return max(1, training_images("test") // HELD_OUT_SHARE)


def training_images(evaluated_on: str) -> int:
    """Return on how many images a run of a sweep is trained."""
    whole = datasets.SPLITS["train"][0].shape[0]
    return whole if evaluated_on == "test" else whole - validation_images()


def _digest(value: object) -> str:
    content = msgspec.json.encode([mnist_tasks.__version__, value], order="deterministic")
    return hashlib.sha256(content).hexdigest()[:8]
