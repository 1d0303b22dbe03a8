"""Fuzz run records and TOML files: change valid ones at random, and read them in every way.

A reader may return a value or raise one of the project's errors, whose text can be printed.
Whatever else happens is a bug. So is a record that can be read but not shown.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mnist_tasks import check_store, console, json_text, project, run_store
from mnist_tasks.checking import contract_file
from mnist_tasks.code_records import NetworkSource
from mnist_tasks.data import datasets, lock_table, project_table
from mnist_tasks.errors import MnistTasksError
from mnist_tasks.records import RunRecord, Trial
from mnist_tasks.reporting import comparison, export_tables, files, run_filter
from mnist_tasks.reporting.terminal import runs as run_tables
from mnist_tasks.sweeping import plan_file, stored_sweep
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.training import own_recipes
from mnist_tasks.verdict import Interval, Verdict
from tests import examples, fuzz

SHOWN = 0.1  # share of the records that are shown on a page, which takes long
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 0.5, -0.0, 5e-324, 1e12, 1e38, 1e308, -1e308, 10**15, 2**64, 10**400),
    *("", "\x1b[31m", "[/red]", "a\nb", "\0", "\ud800", "<b>", "{{7*7}}", "a" * 5000, "../x", "=1"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59", "2026-11-22", "passed"),
    *([], {}, [[]], [{}], [None], {"": ""}, {"name": "x", "layers": [[[1]]]}, [[0] * 10] * 10),
)
WORDS = (
    *("nan", "inf", "-inf", "true", "0", "-1", "1e308", "9" * 400, "0x10", "1979-05-27"),
    *('""', '"a"', '"\\u001b[31m"', "'''x\ny'''", "[]", "{}", "[[]]", "[1, 'a']", '{ a = "b" }'),
    *('["\\u0000"]', "{ a.b.c = 1 }", '"../x"', '"0-99999999"', "{ npz = 'a' }", "07:32:00"),
)
SHA256 = "cd" * 32
OLD = Path(__file__).parent / "records" / "first" / "run.json"
FILE = f'{{ shape = [6, 28, 28], sha256 = "{SHA256}" }}'
LABELS = f'{{ shape = [6], sha256 = "{SHA256}" }}'
CONTRACT = """\
parameters_below = 25_000
accuracy_above = 0.985
confidence = 0.99
worst_recall_above = 0.97
bytes_below = 1_000_000
required_layers = ["BatchNormalization", "Dropout"]
perturbed.shift = { pixels = 2, accuracy_above = 0.9 }
baseline = { model = "released.h5", tolerance_points = 0.2 }
"""
PLAN = """\
seeds = "0-3"
recipes = ["default", "plain"]
limit = 100

[set]
max_shift = [0, 1]
learning_rate = [0.01]

[[settings]]
recipe = "plain"
batch_size = 32
"""
PYPROJECT = f"""\
[project]
name = "x"

[tool.mnist-tasks]
recipe = "mine"
epochs = 2
dataset = "digits"
runs = "runs"
output = "model_latest.h5"

[tool.mnist-tasks.contract]
{CONTRACT}
[tool.mnist-tasks.recipes.mine]
learning_rate = 0.01
epochs = 3
batch_size = 64
layers = [
  {{ layer = "Conv", filters = 8, kernel = 3 }},
  {{ layer = "Dropout", rate = 0.5 }},
]

[tool.mnist-tasks.datasets.digits]
train = ["a/train-images.gz", "a/train-labels.gz"]
test = {{ npz = "b.npz", images = "x", labels = "y" }}
classes = ["a", "b"]
mirrors = ["https://example.com/a/"]

[tool.mnist-tasks.datasets.digits.lock]
classes = ["a", "b"]
train_images = {FILE}
train_labels = {LABELS}
test_images = {FILE}
test_labels = {LABELS}
"""


def record() -> RunRecord:
    """Return a record with a value in every field."""
    checked = examples.check()
    *others, accuracy = checked.verdict.clauses
    interval = Interval(low=0.83, high=0.94, confidence=0.99)
    verdict = Verdict(clauses=(*others, replace(accuracy, interval=interval)))
    checked = replace(checked, verdict=verdict)
    return replace(
        examples.run(checked=checked),
        network=checked.layers,
        filters=(((0.5, -1.0), (0.0, 1.0)),),
        trial=Trial(
            settings={"max_shift": 1},
            evaluated_on="validation",
            metrics=examples.metrics(),
            worker="host:1",
            attempts=1,
            digest="0" * 8,
        ),
        network_source=NetworkSource(path="net.py", function="build", text="x", sha256=SHA256),
        validation=5000,
    )


def changed_bytes(source: random.Random, content: bytes) -> bytes:
    """Return the content with some of its bytes replaced, removed or repeated."""
    data = bytearray(content)
    for _ in range(source.choice((1, 1, 2, 8))):
        place, size = source.randrange(len(data) + 1), source.choice((1, 1, 4, 40))
        match source.randrange(4):
            case 0:
                data[place : place + size] = source.randbytes(size)
            case 1:
                data[place : place + size] = source.choice((b"\xff", b'"', b"[", b"{", b"9")) * size
            case 2:
                del data[place : place + size]
            case _:
                data[place:place] = data[source.randrange(len(data) + 1) :][:size]
    return bytes(data)


def changed_json(source: random.Random, content: bytes) -> bytes:
    """Return a JSON document with some values replaced, removed or repeated."""
    document = json.loads(content)
    for _ in range(source.choice((1, 1, 2, 4))):
        holder, key = source.choice(list(_places(document)))
        match source.randrange(6):
            case 0 if isinstance(holder, list):
                holder.extend(holder * 5)
            case 0:
                holder[source.choice(("", "\x1b", "schema"))] = deepcopy(source.choice(VALUES))
            case 1:
                del holder[key]
            case 2:
                other, inner = source.choice(list(_places(document)))
                holder[key] = json.loads(json.dumps(other[inner]))
            case _:
                holder[key] = deepcopy(source.choice(VALUES))
        if not document:
            break
    return json.dumps(document).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value[:3])
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def changed_toml(source: random.Random, content: bytes) -> bytes:
    """Return a TOML document with some values, keys, headers or lines changed."""
    lines = content.decode().splitlines()
    for _ in range(source.choice((1, 1, 2, 4))):
        number = source.randrange(len(lines))
        key, equals, value = lines[number].partition(" = ")
        others = [line.partition(" = ") for line in lines if " = " in line]
        match source.randrange(5):
            case 0:
                del lines[number]
            case 1:
                lines.insert(source.randrange(len(lines)), lines[number])
            case 2 if equals:
                lines[number] = f"{source.choice(others)[0]} = {value}"
            case 3 if equals:
                lines[number] = f"{key} = {source.choice(others)[2]}"
            case _:
                lines[number] = f"{key} = {source.choice(WORDS)}"
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def read_record(source: random.Random, content: bytes, folder: Path) -> str:
    """Read a record in a folder of runs, list it, and show it."""
    runs = folder / "runs"
    path = runs / examples.run().id / run_store.RECORD_NAME
    path.write_bytes(content)
    stored = run_store.list_runs(runs)
    screen = console._SafeConsole(file=io.StringIO(), width=source.choice((40, 100)))
    screen.print(run_tables.listed(stored.runs, stored))
    for sort in run_filter.SORTS:
        run_filter.select(stored.runs, run_filter.RunFilter(sort=sort, since="2020-01-01"))
    for run in stored.runs:
        export_tables.of_listed(run)
    run_store.read_all(runs)
    if run_store.read(path).id != path.parent.name:
        return "elsewhere"
    assert len(stored.runs) == 2  # what can be read is listed
    if source.random() < SHOWN:
        own = examples.run().id
        for names in ([own], ["latest", own], [str(runs)]):  # the last is a sweep
            shown = comparison.view(names, runs, folder)
            screen.print(run_tables.report(shown))
            wanted = files.ReportFiles(html=folder / "x.html", markdown=folder / "x.md")
            files.write_report(shown, wanted)
            json_text.to_json(files.report_document(shown, wanted))
    return "read"


def read_check(_: random.Random, content: bytes, folder: Path) -> str:
    """Read the check of a model that no run made."""
    runs = folder / "runs"
    path = runs / check_store.FOLDER / examples.MODEL.sha256[:16] / check_store.FILE_NAME
    path.write_bytes(content)
    check_store.old(runs, 0)
    found = check_store.newest(runs)
    if found is None:
        return "refused"
    console._SafeConsole(file=io.StringIO()).print(run_tables.run(check_store.as_record(found)))
    return "read"


def read_summary(_: random.Random, content: bytes, folder: Path) -> str:
    """Read the summary of a sweep."""
    (folder / "sweep.json").write_bytes(content)
    return "refused" if stored_sweep._summary(folder) is None else "read"


def read_contract(_: random.Random, content: bytes, folder: Path) -> str:
    """Read a contract."""
    path = folder / "contract.toml"
    path.write_bytes(content)
    contract_file.load(path)
    return "read"


def read_plan(_: random.Random, content: bytes, folder: Path) -> str:
    """Read the plan of a sweep, and make its jobs."""
    path = folder / "plan.toml"
    path.write_bytes(content)
    plan_file.load(path, Plan()).jobs(folder)
    return "read"


def read_project(_: random.Random, content: bytes, folder: Path) -> str:
    """Read the settings of a project with their recipes, data sets and locks, and lock one anew."""
    path = folder / "project" / project.FILE_NAME
    path.write_bytes(content)
    with contextlib.chdir(path.parent):
        found = project.find()
        own_recipes.of_project(found)
        contract_file.load()
        for name in project_table.names():
            table = project_table.find(name)
            if table is not None and table.table.lock is not None:
                lock_table.write(table, table.table.lock)
            datasets.find(name)
    return "read" if found else "nothing"


def damaged(source: random.Random, content: bytes) -> bytes:
    """Return a JSON or TOML document, changed as text or as bytes."""
    change = changed_json if content.startswith(b"{") else changed_toml
    changed = changed_bytes if source.random() < 0.3 else change
    return changed(source, content)


def samples() -> Mapping[str, tuple[Callable[[random.Random, bytes, Path], str], bytes]]:
    """Return a reader and a valid document of each kind."""
    old = json.loads(OLD.read_bytes()) | {"id": examples.run().id}
    return {
        "record": (read_record, json_text.to_json(record())),
        "old record": (read_record, json.dumps(old).encode()),
        "check": (read_check, json_text.to_json(examples.check())),
        "summary": (read_summary, b'{"schema": 2, "runs": 2, "ranking": [{"mean": 0.5}]}'),
        "contract": (read_contract, CONTRACT.encode()),
        "plan": (read_plan, PLAN.encode()),
        "project": (read_project, PYPROJECT.encode()),
    }


def outcome(source: random.Random, folder: Path) -> str:
    """Damage a document, read it, and return what came of it."""
    made = samples()
    name = source.choice(sorted(made))
    read, content = made[name]
    result = tried(read, source, damaged(source, content), folder)
    return result if fuzz.is_bug(result) else f"{name} {result}"


def tried(
    read: Callable[[random.Random, bytes, Path], str],
    source: random.Random,
    content: bytes,
    folder: Path,
) -> str:
    """Read a document; return whether it was read or refused."""
    try:
        return read(source, content, folder)
    except MnistTasksError as error:
        texts = (error.subject, error.found, error.expected or "", error.remedy or "")
        return "refused" if "".join(texts).replace("\n", "").isprintable() else "UNPRINTABLE"


@contextlib.contextmanager
def prepared() -> Iterator[Path]:
    """Yield a folder in which the readers find what they need besides the document."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_store.save(examples.run(), folder / "runs")
        run_store.save(
            replace(examples.run(1), model=replace(examples.MODEL, sha256=SHA256)), folder / "runs"
        )
        (folder / "runs" / check_store.FOLDER / examples.MODEL.sha256[:16]).mkdir(parents=True)
        (folder / "project").mkdir()
        yield folder


def run(seconds: float, first: int) -> Counter[str]:
    """Try documents for some seconds, from the seed `first` on."""
    with prepared() as folder:
        return fuzz.repeat(partial(outcome, folder=folder), seconds, first)
