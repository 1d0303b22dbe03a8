"""What a record says of a training, as the configuration of another one. TensorFlow is not loaded.

A record can come from anyone: its values are checked as a user's options are, and code that it
names is run only if the user's file is still what was recorded.
"""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mnist_tasks import old_records
from mnist_tasks.code_records import NetworkSource
from mnist_tasks.config import TrainingConfig
from mnist_tasks.errors import InputRefusedError, UsageError, printable
from mnist_tasks.records import RunRecord
from mnist_tasks.training import network_file, recipes, up_to_date
from mnist_tasks.training.network_file import NetworkFile
from mnist_tasks.training.recipe import Recipe

UPDATE = "Update mnist-tasks, if a newer version wrote the record."


@dataclass(frozen=True, kw_only=True)
class Repeatable:
    """A training that repeats a recorded one.

    Attributes
    ----------
    source
        The record's file, for errors.
    network
        The user's own network, whose files are those of the record.
    removed
        Settings of the recipe that this version no longer has.
    """

    record: RunRecord
    source: str
    config: TrainingConfig
    network: NetworkFile | None = None
    removed: tuple[tuple[str, Any], ...] = ()


def read(
    record: RunRecord,
    source: str,
    *,
    network: str | None,
    device: str | None = None,
    threads: int | None = None,
) -> Repeatable:
    """Return the training that repeats a recorded one.

    Parameters
    ----------
    source
        The record's file, for errors.
    network
        Where the code of the user's own network is now.
    device, threads
        Other ones than those of the record.

    Raises
    ------
    InputRefusedError
        The record doesn't say how to train, or the network's code is not what it was.
    UsageError
        The device, the threads or the network can't be used.
    """
    if record.script is not None or record.seed is None:
        raise InputRefusedError(
            source,
            expected="a run of `mnist-tasks train` or `sweep`",
            found="a run of a script of your own" if record.script else "a run without a seed",
            remedy="Run the script again, and compare the two runs with `mnist-tasks report`.",
            reason="not-repeatable",
        )
    file = None
    if record.network_source is not None:
        file = _network(record.network_source, network, source)
    elif network is not None:
        raise UsageError(
            "--network", expected="a run that trained a network of your own", found="a recipe's run"
        )
    unset = TrainingConfig(threads=1 if threads is None else threads, device=device or "auto")
    settings = {name: record.recipe[name] for name in record.recipe.keys() - {"name", "layers"}}
    removed = sorted(settings.keys() & old_records.REMOVED_SETTINGS)
    try:
        config = TrainingConfig(
            recipe=_recipe(record, settings, is_network=file is not None),
            network=network_file.reference(file) if file else None,
            learning_rate=_named_rate(record) if file else None,
            # Those of a recipe don't apply to a network: the user named them.
            settings=tuple(
                (name, settings[name])
                for name in recipes.TRANSFORMATIONS
                if file and settings.get(name)
            ),
            seed=record.seed,
            limit=record.limit,
            validation=record.validation,
            device=unset.device if device else _device(record),
            threads=unset.threads if threads else record.machine.threads,
            precision=record.machine.precision,
            # Replaced before it is written; nothing is in its place here.
            output=Path(os.devnull, f"model{Path(record.model.path).suffix}"),
            dataset=record.dataset.name,
        )
        recipes.resolve(config)
    except (UsageError, msgspec.ValidationError) as error:
        raise invalid(source, error) from error
    return Repeatable(
        record=record,
        source=source,
        config=config,
        network=file,
        removed=tuple((name, settings[name]) for name in removed),
    )


def invalid(source: str, error: Exception) -> InputRefusedError:
    """Return the error for a record with a value that no training can have."""
    expected, found = "the settings of a training that this version knows", str(error)
    if isinstance(error, UsageError):  # of an option, which the user did not write
        expected = error.expected or expected
        found = f"{error.subject.removeprefix('--')}: {error.found}"
    return InputRefusedError(
        source,
        expected=expected,
        found=printable(found),
        remedy=UPDATE,
        reason="record-invalid",
    )


def _recipe(record: RunRecord, settings: dict[str, Any], *, is_network: bool) -> Recipe:
    """Return the recipe with all settings of the record; older records may lack some."""
    known = {name: settings[name] for name in settings.keys() - old_records.REMOVED_SETTINGS}
    if not is_network:
        name, layers = str(record.recipe["name"]), record.recipe.get("layers")
        return msgspec.convert({**known, "name": name, "layers": layers}, Recipe)
    # Of an optimizer that the network was compiled with, the record has the name, and the learning
    # rate or the name of a schedule; its settings are in the code.
    whole = msgspec.to_builtins(recipes.DEFAULT)
    for setting, kind in recipes.SETTINGS.items():
        value = known.get(setting)
        with suppress(msgspec.ValidationError):
            whole[setting] = msgspec.convert(
                value.lower() if isinstance(value, str) else value, kind
            )
    return msgspec.convert(whole, Recipe)


def _named_rate(record: RunRecord) -> float | None:
    """Return the learning rate that the user named for an optimizer of her own, if she did."""
    rate = record.recipe.get("learning_rate")
    is_named = any(
        word == "--learning-rate" or word.startswith("learning_rate=") for word in _words(record)
    )
    return float(rate) if is_named and isinstance(rate, float | int) else None


def _device(record: RunRecord) -> str:
    """Return the option that chooses the kind of device of a record."""
    if record.machine.replicas > 1:
        return "all"
    return "gpu" if record.machine.device.startswith("GPU") else "cpu"


def reference(record: RunRecord) -> str | None:
    """Return the user's own network as the run named it; ``None`` if it was in no file."""
    source = record.network_source
    if source is None or not source.path:
        return None
    words = _words(record)
    if network_file.OPTION in words[:-1]:
        named = words[words.index(network_file.OPTION) + 1]
        if not network_file.is_file(network_file.split(named)[0]):
            return named  # a module, which the path alone does not tell
    return f"{source.path}:{source.function}"


def _words(record: RunRecord) -> list[str]:
    try:
        return shlex.split(record.command)
    except ValueError:
        return []


def _network(source: NetworkSource, named: str | None, where: str) -> NetworkFile:
    """Return the user's own network, if its files are those of the record."""
    if not source.text:
        raise InputRefusedError(
            where,
            expected="a run with the code of its network",
            found=f"the code of {source.function}, which was given in Python, is unknown",
            remedy="Train it again in Python, and compare the two runs with `mnist-tasks report`.",
            reason="not-repeatable",
        )
    known = f"{source.path or 'a notebook'}, function {source.function}"
    if named is None:
        raise UsageError(
            network_file.OPTION,
            expected=f"where the code of the run's own network is: {known}",
            found="nothing",
            remedy="Name it, if you want to run this code: --network net.py:build",
        )
    file = network_file.find(named)
    for path, expected, found in _files(source, file):
        if found != expected:
            raise InputRefusedError(
                path,
                expected=f"the file that the run was trained with, SHA-256 {expected}",
                found=f"SHA-256 {found}" if found else "no such file",
                remedy=f"The record has the text of {source.path or 'the function'}: {where}",
                reason="code-changed",
            )
    if file.source.function != source.function:
        raise UsageError(
            network_file.OPTION,
            expected=f"the function {source.function}, which made the run's model",
            found=file.source.function,
        )
    return file


def _files(source: NetworkSource, file: NetworkFile) -> list[tuple[str, str, str | None]]:
    """Return the files of a network as they are here, with their hashes before and now."""
    now, before = Path(file.source.path).parent, os.path.dirname(source.path)  # noqa: PTH120
    imports = []
    for path, expected in source.imports.items():
        try:
            here = os.path.normpath(now / os.path.relpath(path, before or "."))
        except ValueError:  # an empty path, or one on another drive
            here = path
        imports.append((here, expected, up_to_date.digest(here)))
    return [(file.source.path, source.sha256, file.source.sha256), *imports]
