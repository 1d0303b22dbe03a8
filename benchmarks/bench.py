"""Time the workflow and its alternatives, each as a whole process, in turn.

``nox -s bench`` runs it; ``--quick`` is a smoke test of one round on little data, ``--with-torch``
adds the default recipe in PyTorch, ``--before COMMIT`` the version of another commit, and
``--output NAME`` writes NAME.json and NAME.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import processes

from mnist_tasks.data import fetching, sources, store
from mnist_tasks.data.download import SilentProgress

if TYPE_CHECKING:
    from mnist_tasks.data.store import LabeledImages

HERE = Path(__file__).parent
PYTHON = sys.executable
# The command line of the version in a folder.
RUN = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from mnist_tasks.cli.start import main
main()
"""


def main() -> None:
    """Run all comparisons, and print and write the results."""
    options = parse()
    folder = Path(os.environ.get("MNIST_TASKS_DATA") or store.default_folder())
    fetching.fetch(folder, sources.choose(), progress=SilentProgress())
    with tempfile.TemporaryDirectory() as name, version_before(options.before) as before:
        work = Path(name)
        write_npz(work / "mnist.npz", folder, 2_000 if options.quick else None)
        results = [
            compare(title, commands, rounds=1 if options.quick else rounds, folder=work)
            for title, rounds, commands in comparisons(folder, options, before)
        ]
        accuracies = {
            name: accuracy(work / model, folder)
            for name, model in {
                "mnist-tasks train": "model_latest.h5",
                "train, version before": "before.h5",
                "plain script": "plain.py.h5",
                "keras.io": "keras_convnet.py.h5",
            }.items()
            if (work / model).exists()
        }
    document = {
        "machine": machine(),
        "quick": options.quick,
        "test accuracy": accuracies,
        "comparisons": results,
    }
    markdown = table(document)
    print(markdown)
    if options.output:
        options.output.with_suffix(".json").write_text(json.dumps(document, indent=2) + "\n")
        options.output.with_suffix(".md").write_text(markdown)


def parse() -> argparse.Namespace:
    """Parse the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, little data")
    parser.add_argument("--with-torch", action="store_true", help="add the PyTorch version")
    parser.add_argument("--before", metavar="COMMIT", help="add the version of another commit")
    parser.add_argument("--output", type=Path, help="files to write, without suffix")
    return parser.parse_args()


@contextmanager
def version_before(commit: str | None) -> Iterator[Path | None]:
    """Check a commit out into a temporary folder, if there is one to compare with."""
    if commit is None:
        yield None
        return
    git = ("git", "-C", str(HERE), "worktree")
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([*git, "add", "--quiet", "--detach", name, commit], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run([*git, "remove", "--force", name], check=True)


def command_line(root: Path = HERE.parent) -> tuple[str, ...]:
    """Return the words that run the command line of the version in a folder."""
    return (PYTHON, "-c", RUN, str(root))


def comparisons(
    folder: Path, options: argparse.Namespace, before: Path | None
) -> list[tuple[str, int, dict[str, tuple[str, ...]]]]:
    """Return the title, the rounds and the commands of each comparison, with ours first."""
    limit = ("--limit", "2000") if options.quick else ()
    data = ("--data-dir", str(folder), "--offline")

    def versions(
        name: str, *words: str, words_before: tuple[str, ...] = ()
    ) -> dict[str, tuple[str, ...]]:
        found = {f"mnist-tasks {name}": (*command_line(), name, *words)}
        if before:
            found[f"{name}, version before"] = (*command_line(before), name, *words, *words_before)
        return found

    def script(name: str) -> tuple[str, ...]:
        return (PYTHON, str(HERE / name), "mnist.npz", f"{name}.h5")

    train = versions("train", *data, *limit, words_before=("--output", "before.h5"))
    ours = dict(list(train.items())[:1])
    torch = {"PyTorch": script("torch_default.py")} if options.with_torch else {}
    found = [
        ("train", 7, {**train, "plain script": script("plain.py"), **torch}),
        ("help", 15, {**versions("--help"), "hello-world typer": hello()}),
        (
            "cached fetch",
            15,
            {**versions("fetch", *data), "python -c pass": (PYTHON, "-c", "pass")},
        ),
    ]
    if not options.quick:
        imports = {"import tensorflow": (PYTHON, "-c", "import tensorflow")}
        found += [
            ("to 99%", 2, {**ours, "keras.io": script("keras_convnet.py")}),
            ("check", 7, {**versions("check", *data), **imports}),
        ]
    return found


def hello() -> tuple[str, ...]:
    """Return the command line for the help of the smallest typer program."""
    return (PYTHON, str(HERE / "hello.py"), "--help")


def compare(
    title: str, commands: dict[str, tuple[str, ...]], *, rounds: int, folder: Path
) -> dict[str, Any]:
    """Run the commands in turn, and compare the first with each of the others."""
    usages = processes.in_turn(commands, rounds=rounds, folder=folder)
    ours, *others = commands
    return {
        "title": title,
        "rounds": rounds,
        "commands": {
            name: {
                figure: asdict(processes.Spread.of([getattr(each, figure) for each in usage]))
                for figure in ("wall", "cpu", "memory")
            }
            for name, usage in usages.items()
        },
        "ratios": {
            f"{ours} / {other}": {
                figure: asdict(spread)
                for figure, spread in processes.ratios(usages[ours], usages[other]).items()
            }
            for other in others
        },
    }


def accuracy(model: Path, folder: Path) -> float:
    """Return a model's accuracy on the test images, whether it passes the contract or not."""
    done = subprocess.run(
        [*command_line(), "check", str(model), "--data-dir", str(folder), "--offline", "--json"],
        cwd=model.parent,
        capture_output=True,
        check=False,
    )
    (checked,) = json.loads(done.stdout)["result"]["checks"]
    confusion = np.array(checked["check"]["metrics"]["confusion"])
    return float(confusion.trace() / confusion.sum())


def write_npz(path: Path, folder: Path, limit: int | None) -> None:
    """Write the data in the format of the plain scripts."""
    train, test = (load(folder, split).first(limit) for split in ("train", "test"))
    np.savez_compressed(
        path, x_train=train.images, y_train=train.labels, x_test=test.images, y_test=test.labels
    )


def load(folder: Path, split: str) -> LabeledImages:
    """Load one split."""
    return store.load(folder, "train" if split == "train" else "test")


def machine() -> dict[str, Any]:
    """Describe the machine, the versions and the commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **{name: version(name) for name in ("tensorflow", "keras", "numpy", "mnist-tasks")},
        "commit": commit.stdout.strip() or "unknown",
    }


def table(document: dict[str, Any]) -> str:
    """Return Markdown tables: medians, and ratios with the lowest and the highest."""
    facts = ", ".join(f"{name} {value}" for name, value in document["machine"].items())
    lines = [f"Measured on: {facts}.", ""]
    lines += ["| process | rounds | wall, s | CPU, s | peak memory, MiB |", "|---|---|---|---|---|"]
    for result in document["comparisons"]:
        for name, figures in result["commands"].items():
            cells = (f"{figures[figure]['median']:.2f}" for figure in ("wall", "cpu", "memory"))
            lines.append(f"| {name} | {result['rounds']} | {' | '.join(cells)} |")
    lines += ["", "| ratio, round by round | wall | CPU | peak memory | seconds more |"]
    lines += ["|---|---|---|---|---|"]
    for result in document["comparisons"]:
        for name, figures in result["ratios"].items():
            cells = (
                f"{spread['median']:.2f} ({spread['lowest']:.2f} to {spread['highest']:.2f})"
                for spread in figures.values()
            )
            lines.append(f"| {name} | {' | '.join(cells)} |")
    accuracies = ", ".join(f"{name} {each:.2%}" for name, each in document["test accuracy"].items())
    lines += ["", f"Test accuracy: {accuracies}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
