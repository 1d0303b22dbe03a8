"""Look at everything at once, and put the findings together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mnist_tasks import config
from mnist_tasks.data import sources, store
from mnist_tasks.environment import (
    background,
    builds,
    cache,
    folders,
    gpu,
    gpu_use,
    machine,
    packages,
    probe,
    source_check,
)
from mnist_tasks.environment.diagnosis import Diagnosis


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where to look.

    Attributes
    ----------
    data_dir
        The cache of data files; the platform's where it is ``None``.
    mirror
        The address of a mirror in place of the known sources.
    offline
        Ask no source.
    timeout
        Seconds that TensorFlow has to start.
    requires_gpu
        Whether a GPU that TensorFlow can't use is a fault.
    """

    data_dir: Path | None = None
    runs: Path = config.RUNS_FOLDER
    mirror: str | None = None
    offline: bool = False
    timeout: float = probe.TIMEOUT
    requires_gpu: bool = False


def examine(settings: Settings) -> Diagnosis:
    """Examine the machine: all of it takes about as long as TensorFlow takes to start.

    Raises
    ------
    UsageError
        The mirror's address is none.
    """
    known = sources.choose(mirror=settings.mirror, offline=settings.offline)
    data_dir = settings.data_dir or store.default_folder()
    # Without the module there is nothing to ask, and one fault is enough for one cause.
    module = builds.module_path()
    asking = background.begin(partial(probe.probe, settings.timeout)) if module else None
    driver = background.begin(gpu.look)
    answers = source_check.ask(known)
    cached = cache.look(data_dir)
    complete = cache.is_complete(cached)
    installed = builds.installed()
    findings = [
        machine.python(),
        machine.system(),
        machine.cores(),
        machine.memory(machine.measure_memory()),
        packages.dependencies(),
        packages.tensorflow(installed, module),
    ]
    on_disk = [
        folders.finding("cache", folders.look(data_dir), option="--data-dir", must=not complete),
        folders.finding("current folder", folders.look(Path()), option=None),
        folders.finding("runs", folders.look(settings.runs), option="--runs"),
    ]
    probed = asking.result() if asking else None
    if probed:
        package = f"{installed[0].name}=={installed[0].version}" if installed else "tensorflow"
        findings.append(probe.finding(probed, package))
    findings += [
        gpu.finding(driver.result()),
        gpu_use.finding(driver.result(), probed, is_required=settings.requires_gpu),
        cache.finding(data_dir, cached),
        cache.sources(None if settings.offline else answers(), complete=complete),
        *on_disk,
    ]
    return Diagnosis(findings=tuple(findings))
