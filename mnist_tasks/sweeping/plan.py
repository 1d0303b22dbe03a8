"""The runs of a sweep: every setting with every seed, each a job with its own ID.

The ID contains a digest of everything that decides the result, so that a sweep with the same plan
finds the runs that are finished.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePath
from typing import Literal

import msgspec

from mnist_tasks import dataset_info
from mnist_tasks.config import TrainingConfig
from mnist_tasks.data import datasets
from mnist_tasks.data.datasets import Dataset
from mnist_tasks.dataset_info import MOST_TEST_IMAGES
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.sweeping import search_space
from mnist_tasks.sweeping.search_space import MAX_RUNS, Setting
from mnist_tasks.training import layer_specs, network_file, recipes
from mnist_tasks.training.network_file import NetworkFile
from mnist_tasks.training.recipe import Recipe, as_record
from mnist_tasks.version import VERSION

DEVICES = ("cpu", "gpu")
MODEL_NAME = "model.h5"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of a sweep.

    Attributes
    ----------
    digest
        Hash of everything but the seed that decides the result: 8 hexadecimal digits.
    config
        The configuration of the training, with the model's path in the folder of the sweep.
    network
        The user's own network with its text, which may change or be missing where the job runs.
    """

    id: str
    setting: Setting
    digest: str
    evaluated_on: Literal["validation", "test"]
    config: TrainingConfig
    network: NetworkFile | None = None

    @cached_property
    def micro_batches(self) -> int:
        """How many micro-batches the recipe splits a batch into."""
        return recipes.resolve(self.config).micro_batches


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Every setting with every seed.

    Attributes
    ----------
    evaluated_on
        ``validation``: train on all but the validation images (the last sixth of the training
        images) and evaluate on those; ``test``: train on all training images and evaluate on the
        test images.
    limit
        Train on the first `limit` images only.
    threads
        TensorFlow threads of each run.
    dataset
        The data set; MNIST by default.
    recipes
        The user's own recipes, by name, beside those of the package.

    Raises
    ------
    UsageError
        A recipe, setting or seed is invalid, or there are no runs or too many.
    InputRefusedError
        A network is missing or not valid Python.
    """

    settings: tuple[Setting, ...] = (Setting(),)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    evaluated_on: Literal["validation", "test"] = "validation"
    limit: int | None = None
    device: str = "cpu"
    threads: int = 1
    dataset: Dataset = field(default_factory=datasets.default)
    recipes: Mapping[str, Recipe] = field(default_factory=dict)

    def __post_init__(self) -> None:
        runs = len(self.settings) * len(self.seeds)
        if not 1 <= runs <= MAX_RUNS:
            raise search_space.wrong_count(runs)
        if self.device not in DEVICES:
            raise UsageError(
                "--device",
                expected=f"{' or '.join(DEVICES)}: the same device for every run of a sweep",
                found=printable(self.device),
            )
        available = training_images(self.dataset, self.evaluated_on)
        if self.limit is not None and not 1 <= self.limit <= available:
            others = ": the others are for validation" if self.evaluated_on == "validation" else ""
            raise UsageError(
                "--limit",
                expected=f"a whole number from 1 to {available:,}{others}",
                found=f"{self.limit:,}",
            )
        names = Counter(setting.name for setting in self.settings)
        if repeated := next((name for name, count in names.items() if count > 1), None):
            raise UsageError(
                network_file.OPTION,
                expected="networks whose files have different names",
                found=f"two that are called {repeated}",
            )
        self.networks  # noqa: B018 - each is read once, and a missing one is an error now
        for setting in self.settings:
            recipes.resolve(self._config(setting, self.seeds[0]))

    def require_images(self) -> None:
        """Raise an error if a recipe's layers don't fit the images.

        Raises
        ------
        UsageError
            The images are too small for a layer.
        """
        height, width, _ = self.dataset.info.image_shape
        for setting in self.settings:
            recipe = recipes.resolve(self._config(setting, self.seeds[0]))
            layer_specs.require_images(recipe.layers, recipe.name, height, width)

    def jobs(self, folder: Path) -> tuple[Job, ...]:
        """Return the runs: every setting with the first seed, then with the second, and so on."""
        digests = {setting: self._digest(setting) for setting in self.settings}
        return tuple(
            self._job(setting, digests[setting], seed, folder)
            for seed, setting in itertools.product(self.seeds, self.settings)
        )

    @cached_property
    def networks(self) -> dict[str, NetworkFile]:
        """The user's own networks, by reference."""
        references = dict.fromkeys(setting.network for setting in self.settings)
        return {each: network_file.find(each) for each in references if each is not None}

    @property
    def name(self) -> str:
        """A name derived from the plan: 8 hexadecimal digits."""
        return _hash([self.seeds, *map(self._digest, self.settings)])

    def _job(self, setting: Setting, digest: str, seed: int, folder: Path) -> Job:
        network = self.networks[setting.network] if setting.network is not None else None
        title = _slug(setting.network) if setting.network is not None else setting.recipe
        name = f"{title}-{digest}-{seed}"
        return Job(
            id=name,
            setting=setting,
            digest=digest,
            evaluated_on=self.evaluated_on,
            config=replace(self._config(setting, seed), output=folder / name / MODEL_NAME),
            network=network,
        )

    def _digest(self, setting: Setting) -> str:
        config = self._config(setting, self.seeds[0])
        # The recipe's content and not just its name, since the recipe may be edited.
        recipe = as_record(recipes.resolve(config))
        info = self.dataset.info
        # Without MNIST's hashes, the IDs of earlier sweeps stay what they are.
        is_mnist = info == dataset_info.MNIST
        data = [] if is_mnist else [info.name, *(file.sha256 for file in self.dataset.files)]
        runs_on = [config.device, config.threads]
        network: list[str] = []
        if setting.network is not None:
            source = self.networks[setting.network].source
            network = [source.function, source.sha256]
        chosen = {"recipe": setting.recipe, "values": setting.values}
        return _hash([chosen, recipe, config.limit, self.evaluated_on, *runs_on, *data, *network])

    def _config(self, setting: Setting, seed: int) -> TrainingConfig:
        limit = self.limit or training_images(self.dataset, self.evaluated_on)
        return TrainingConfig(
            recipe=self.recipes.get(setting.recipe, setting.recipe),
            network=setting.network,
            settings=setting.values,
            seed=seed,
            dataset=self.dataset.info.name,
            limit=limit if limit < training_images(self.dataset, "test") else None,
            device=self.device,
            threads=self.threads,
        )


def validation_images(dataset: Dataset) -> int:
    """Return how many of the last training images are for validation.

    A sixth, 10,000 of MNIST; at most as many as a data set may have test images.
    """
    return min(max(1, training_images(dataset, "test") // 6), MOST_TEST_IMAGES)


def training_images(dataset: Dataset, evaluated_on: str) -> int:
    """Return how many images a run of a sweep trains on if it has no limit."""
    whole = dataset.train[0].shape[0]
    return whole if evaluated_on == "test" else whole - validation_images(dataset)


def _slug(network: str) -> str:
    """Return a network's name as it may begin the name of a folder."""
    where, function = network_file.split(network)
    stem = PurePath(where).stem if network_file.is_file(where) else where
    text = stem if function == network_file.FUNCTION else f"{stem}-{function}"
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:40] or "network"


def _hash(value: object) -> str:
    content = msgspec.json.encode([VERSION, value], order="deterministic")
    return hashlib.sha256(content).hexdigest()[:8]
