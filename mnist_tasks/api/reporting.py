"""Report on runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import config
from mnist_tasks.api.data import data_config

if TYPE_CHECKING:
    from mnist_tasks.api.data import AnyPath, Data


def report(
    *runs: str,
    html: AnyPath | None = None,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    data: Data = None,
) -> Path:
    """Write the HTML page of a run, of several side by side or of a sweep, and return its path.

    Parameters
    ----------
    runs
        Run ids, unique prefixes of them, or paths of records or checked model files; ``latest`` by
        default. Several runs are each compared with the first. Or the folder of a sweep.
    html
        Page to write: by default ``report.html`` beside the run's record or in the folder of the
        sweep, or ``comparison.html`` in `runs_dir`.
    runs_dir
        Folder of the run records.
    data
        As in `load_data`; without data files, the page shows no images.

    Raises
    ------
    MnistTasksError
        There is no such run, or the page can't be written.
    """
    from mnist_tasks.reporting import comparison, files

    shown = comparison.view(runs, Path(runs_dir), data_config(data).folder)
    page = Path(html) if html else files.default_page(shown, Path(runs_dir))
    files.write_report(shown, files.ReportFiles(html=page))
    return page
