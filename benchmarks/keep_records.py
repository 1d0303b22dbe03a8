"""Keep the records of published figures: ``python benchmarks/keep_records.py [FOLDER]...``.

A folder is that of a sweep or of runs. Each of its runs of a published recipe as it is, on all of
MNIST's training images and evaluated on its test images, is written to
``records/RECIPE/seed-N.json``, without what is not needed to train it again and to compare: curve,
earlier epochs, filters, worker and paths. The figures of all records are then printed; operations
are multiply-adds for one image, and the seconds are a median.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import replace
from pathlib import Path, PurePath

from mnist_tasks import dataset_info, disk, record_json, run_store
from mnist_tasks.check_records import Metrics
from mnist_tasks.records import RunRecord
from mnist_tasks.training import recipes
from mnist_tasks.training.recipe import from_record

RECORDS = Path(__file__).parent / "records"


def metrics(record: RunRecord) -> Metrics | None:
    """Return the metrics of a run's model on the test images."""
    if record.trial and record.trial.evaluated_on == "test":
        return record.trial.metrics
    return record.check.metrics if record.check else None


def is_published(record: RunRecord) -> bool:
    """Whether a run trained a recipe of the package as it is, on all images of MNIST."""
    recipe = recipes.RECIPES.get(str(record.recipe["name"]))
    return (
        recipe is not None
        and record.script is None
        and record.network_source is None
        and from_record(record.recipe) == recipe
        and record.limit is None
        and record.validation == 0
        and record.dataset == (record.check or record).dataset == dataset_info.MNIST
        and metrics(record) is not None
    )


def slim(record: RunRecord) -> RunRecord:
    """Return a record without what differs between folders, and without its long parts."""
    name = PurePath(record.model.path).name
    check = record.check and replace(
        record.check, model=replace(record.check.model, path=name), layers=(), protections=()
    )
    return replace(
        record,
        command=record.command.replace(record.model.path, name),
        epochs=record.epochs[-1:],
        curve=(),
        filters=(),
        model=replace(record.model, path=name),
        trial=record.trial and replace(record.trial, worker=""),
        check=check,
    )


def keep(folder: Path, records: Path = RECORDS) -> list[Path]:
    """Write the records of the runs in a folder, and return their paths."""
    paths = []
    for record in run_store.read_all(folder).records:
        if is_published(record):
            path = records / str(record.recipe["name"]) / f"seed-{record.seed}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            disk.write(path, record_json.to_json(slim(record)))
            paths.append(path)
    return paths


def figures(records: Path = RECORDS) -> list[str]:
    """Return the rows of a table: the mean accuracy of each recipe, and the lowest."""
    columns = (
        *("recipe", "parameters", "operations", "epochs", "threads", "training"),
        *("seeds", "test accuracy", "lowest"),
    )
    rows = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for folder in sorted(path for path in records.iterdir() if path.is_dir()):
        runs = [run_store.read(path) for path in sorted(folder.glob("seed-*.json"))]
        if not runs:
            continue
        found = [100 * each.accuracy for each in map(metrics, runs) if each]
        spread = f" ± {statistics.stdev(found):.2f}" if len(found) > 1 else ""
        mean = f"{statistics.mean(found):.2f}{spread}%"
        first = runs[0]
        cells = (
            folder.name,
            f"{first.model.parameters:,}",
            f"{sum(layer.operations or 0 for layer in first.network):,}",
            first.recipe["epochs"],
            first.machine.threads,
            f"{statistics.median(each.seconds['fit'] for each in runs):.0f} s",
            len(found),
            mean,
            f"{min(found):.2f}%",
        )
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return rows


def main() -> None:
    """Keep the records of the folders that are named, and print the figures."""
    for name in sys.argv[1:]:
        for path in keep(Path(name)):
            print(path)
    print(*figures(), sep="\n")


if __name__ == "__main__":
    main()
