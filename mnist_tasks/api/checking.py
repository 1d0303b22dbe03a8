"""Check a model file, or only vet it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import check_store, config, run_store
from mnist_tasks.api.data import data_config, load_data
from mnist_tasks.data.loading import DataConfig

if TYPE_CHECKING:
    from mnist_tasks.api.data import AnyPath, Data
    from mnist_tasks.check_records import Check
    from mnist_tasks.checking.contract import Contract
    from mnist_tasks.checking.contract_file import LoadedContract
    from mnist_tasks.vetting.inspection import VettedFile


def check(
    model: AnyPath = config.LATEST_MODEL,
    *,
    contract: AnyPath | Contract | None = None,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    dataset: str | None = None,
    data: Data = None,
    require_isolation: bool = False,
) -> Check:
    """Vet a model file, evaluate it against the contract, and add the check to its run's record.

    The model is vetted and loaded in a child process, never in this one.

    Parameters
    ----------
    model
        Model file in HDF5 or the ``.keras`` format, whatever its name.
    contract
        A `Contract`, or a TOML file with one. By default that of the project that the current
        folder is in, as `mnist_tasks.project.find` finds it; without one, the default clauses.
    runs_dir
        Folder of the run records. If a run in it made this model, its record gets the check;
        otherwise the check is saved in its folder ``checks``.
    dataset, data
        As in `load_data`; the default is the data set of the run that made this model, if any.
    require_isolation
        Whether to refuse to read the file where the process that does so can't be confined.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt, unsupported or unsafe.
    EnvironmentProblemError
        TensorFlow is missing, the model ran out of time or memory, or an essential protection is
        not on.
    """
    from mnist_tasks.checking import model_dataset
    from mnist_tasks.checking.checker import Checker

    loaded = load_contract(contract)
    stored = run_store.list_runs(Path(runs_dir))
    source = data_config(data, dataset)
    if dataset is None and not isinstance(data, DataConfig):
        of_run = model_dataset.find([Path(model)], stored)
        source = replace(source, dataset=of_run or source.dataset)
    images = load_data("test", data=source)
    checker = Checker(
        contract=loaded.contract,
        data=images,
        source=loaded.source,
        require_isolation=require_isolation,
    )
    found, probabilities = checker.check(Path(model))
    check_store.attach(found, Path(runs_dir), probabilities, stored=stored)
    return found


def vet(
    model: AnyPath = config.LATEST_MODEL,
    *,
    contract: AnyPath | Contract | None = None,
    require_isolation: bool = False,
) -> VettedFile:
    """Check whether a model file can run code when Keras opens it, without loading it.

    Parameters
    ----------
    model, require_isolation
        As in `check`.
    contract
        As in `check`; only its ``bytes_below`` and ``parameters_below`` matter, which raise the
        limits of the file.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt, unsupported or unsafe.
    EnvironmentProblemError
        An essential protection is required, and not on.
    """
    from mnist_tasks.vetting import sandbox

    limits = load_contract(contract).contract.limits(require_isolation=require_isolation)
    return sandbox.vet(Path(model), limits=limits)


def load_contract(contract: AnyPath | Contract | None) -> LoadedContract:
    """Return a contract, and the file that it is from: by default, that of the project."""
    from mnist_tasks.checking import contract_file
    from mnist_tasks.checking.contract import Contract

    if isinstance(contract, Contract):
        source = None if contract == Contract() else "a contract in Python"
        return contract_file.LoadedContract(contract=contract, source=source)
    return contract_file.load(None if contract is None else Path(contract))
