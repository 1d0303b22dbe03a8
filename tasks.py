"""The workflow in the current environment: each task runs one command of the CLI.

``invoke --list`` lists the tasks, ``invoke --dry TASK`` shows the command without running it, and
``invoke`` alone runs all four.
"""

import shlex
import sys
from typing import Any

from invoke.context import Context
from invoke.tasks import task

CLI = (sys.executable, "-m", "mnist_tasks")
DATA_HELP = {
    "dataset": "mnist or fashion-mnist",
    "data_dir": "folder of the data files",
    "mirror": "address of a mirror to use in place of the known sources",
    "offline": "do not use the network",
}
RUNS_HELP = {"runs": "folder of the run records"}
JSON_HELP = {"json": "print one JSON document and nothing else"}


def _run(command: str, context: Context, **options: Any) -> None:
    """Run a command of the CLI; `options` are the task's `locals()`."""
    words = [*CLI, command, *(options.pop("model", None) or ())]
    for name, value in options.items():
        option = f"--{name.strip('_').replace('_', '-')}"
        for each in value if isinstance(value, list) else [value]:
            if each is True:
                words.append(option)
            elif each not in (None, False):
                words += [option, str(each)]
    # With a pseudo-terminal, progress bars stay live.
    context.run(shlex.join(words), echo=True, pty=sys.stdout.isatty() and sys.platform != "win32")


@task(
    help={
        "from_": "folder or file to take the data from",
        "source": "cvdf, ossci, keras or npm",
        "timeout": "seconds without data after which a download fails",
        **DATA_HELP,
        **JSON_HELP,
    }
)
def fetch(
    context: Context,
    from_: str | None = None,
    source: str | None = None,
    mirror: str | None = None,
    timeout: str | None = None,
    dataset: str | None = None,
    data_dir: str | None = None,
    offline: bool = False,
    json: bool = False,
) -> None:
    """Fetch and verify the four files of a data set."""
    _run("fetch", **locals())


@task(
    iterable=["set_"],
    help={
        "recipe": "default or plain",
        "epochs": "passes over the training images",
        "batch_size": "images per step",
        "learning_rate": "peak learning rate of the schedule",
        "set_": "another setting of the recipe, such as max_shift=0; repeatable",
        "seed": "random seed for weight initialization, shuffling and dropout",
        "device": "auto, cpu, gpu, gpu:N or all",
        "threads": "TensorFlow threads on the CPU",
        "precision": "float32 or mixed_bfloat16",
        "limit": "train on the first N images only",
        "output": "model file to write: .h5 or .keras",
        **RUNS_HELP,
        **DATA_HELP,
        **JSON_HELP,
    },
)
def train(
    context: Context,
    recipe: str | None = None,
    epochs: str | None = None,
    batch_size: str | None = None,
    learning_rate: str | None = None,
    set_: list[str] | None = None,
    seed: str | None = None,
    device: str | None = None,
    threads: str | None = None,
    precision: str | None = None,
    limit: str | None = None,
    output: str | None = None,
    runs: str | None = None,
    dataset: str | None = None,
    data_dir: str | None = None,
    mirror: str | None = None,
    offline: bool = False,
    json: bool = False,
) -> None:
    """Train a recipe and save its model and run record."""
    _run("train", **locals())


@task(
    iterable=["model"],
    help={
        "model": "model file, folder of model files, or - for a list of both on standard input "
        "(model_latest.h5); repeatable",
        "contract": "TOML file with the contract",
        "junit": "JUnit XML file to write",
        "require_isolation": "refuse to read a model unless every essential protection is on",
        "markdown": "Markdown file to write",
        **RUNS_HELP,
        **DATA_HELP,
        **JSON_HELP,
    },
)
def check(
    context: Context,
    model: list[str] | None = None,
    contract: str | None = None,
    junit: str | None = None,
    markdown: str | None = None,
    require_isolation: bool = False,
    runs: str | None = None,
    dataset: str | None = None,
    data_dir: str | None = None,
    mirror: str | None = None,
    offline: bool = False,
    json: bool = False,
) -> None:
    """Check models against the contract: exit code 0 if all passed, 1 if not."""
    _run("check", **locals())


@task(
    help={
        "html": "HTML page to write (report.html beside the record)",
        "no_html": "write no HTML page",
        "open_": "open the page in a browser",
        "markdown": "Markdown file to write",
        "csv": "folder for the plotted data as CSV files",
        "data_dir": "folder of the data files",
        **RUNS_HELP,
        **JSON_HELP,
    }
)
def report(
    context: Context,
    html: str | None = None,
    no_html: bool = False,
    open_: bool = False,
    markdown: str | None = None,
    csv: str | None = None,
    runs: str | None = None,
    data_dir: str | None = None,
    json: bool = False,
) -> None:
    """Summarize the latest run and its check, write an HTML page, and list earlier runs."""
    _run("report", **locals())


@task(pre=[fetch, train, check, report], default=True)
def workflow(_: Context) -> None:
    """Fetch, train, check and report."""
