"""Run all checks at once, and collect their findings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mnist_tasks import config
from mnist_tasks.data import datasets, sources, store
from mnist_tasks.data.datasets import Dataset
from mnist_tasks.environment import (
    advisories,
    background,
    builds,
    gpu,
    gpu_use,
    machine,
    packages,
    probe,
    source_check,
    storage,
)
from mnist_tasks.environment.diagnosis import Diagnosis, Finding, diagnose


def examine(
    *,
    data_dir: Path | None = None,
    runs: Path = config.RUNS_FOLDER,
    mirror: str | None = None,
    offline: bool = False,
    timeout: float = probe.TIMEOUT,
    requires_gpu: bool = False,
    dataset: Dataset | None = None,
    try_vetting: Callable[..., Finding],
) -> Diagnosis:
    """Check the machine, in about the time that TensorFlow takes to start.

    Parameters
    ----------
    mirror, offline
        As in `sources.choose`, which refuses an address that is not valid.
    timeout
        Time limit for the start of TensorFlow, in seconds.
    requires_gpu
        Whether it is an error if TensorFlow can use no GPU.
    dataset
        The data set that is looked for; MNIST by default.
    try_vetting
        Vets a model, and loads it if ``loads=True``; `vetting` is above this package.
    """
    dataset = dataset or datasets.default()
    check_sources = source_check.start(sources.choose(dataset, mirror=mirror, offline=offline))
    # Without the module there is nothing to probe, and one error for one cause is enough.
    module = builds.module_path()
    probing = background.start(partial(probe.probe, timeout)) if module else None
    vetting = background.start(partial(try_vetting, loads=True)) if module else None
    querying = background.start(gpu.detect)
    data_folder = store.folder_of(dataset, data_dir)
    cached = storage.cache(data_folder, dataset)
    is_complete = cached.status == "ok"
    installed = builds.installed()
    findings = [
        packages.python(),
        machine.system(),
        machine.cores(),
        machine.memory(machine.measure_memory()),
        packages.dependencies(),
        builds.finding(installed, module),
        advisories.finding(),
    ]
    result = probing.result() if probing else None
    if result:
        package = f"{installed[0].name}=={installed[0].version}" if installed else "tensorflow"
        findings.append(probe.finding(result, package))
    driver = querying.result()
    findings += [
        gpu.finding(driver),
        gpu_use.finding(driver, result, is_required=requires_gpu),
        # One error for one cause: what keeps TensorFlow from starting was reported above.
        vetting.result() if vetting and _starts(result) else try_vetting(loads=False),
        cached,
        source_check.finding(None if offline else check_sources(), is_complete=is_complete),
        storage.folder("cache", data_folder, option="--data-dir", is_required=not is_complete),
        storage.folder("current folder", Path(), option=None),
        storage.folder("runs", runs, option="--runs"),
    ]
    return diagnose([each for each in findings if each])


def _starts(result: probe.ProbeResult | None) -> bool:
    return result is not None and result.gpus is not None
