"""Every record that is accepted can be shown: no figure in it crashes a report."""

from __future__ import annotations

import copy
import io
import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_tasks import console, json_text, run_store
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.reporting import comparison, export_tables, files, run_filter
from mnist_tasks.reporting.terminal import runs as run_tables
from tests import examples, runs

if TYPE_CHECKING:
    from pathlib import Path

VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 10, 0.5, -0.0, 5e-324, 1e12, -1e12, 1e38, 1e308, -1e308),
    *(10**15, 10**16, 2**63, 2**64, 10**400),
    *("", "\x1b[31m", "[/red]", "a\nb", "\x00", "<b>", "{{7*7}}", "a" * 5000, "../x", "=1+1"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "passed", "failed", "0" * 64),
    *([], {}, [[]], [{}], [None], {"": ""}, {"a": 1e12}, {"name": "x", "layers": "abc"}),
    *({"name": "x", "layers": [[[1]]]}, {"name": "x", "layers": {"a": [1]}}),
    *([[0] * 10] * 10, [[10**15] * 10] * 10, [[[1e38, -1e38]]], [[[0.0]]], [[[1.0], [1.0, 2.0]]]),
)


@dataclass(frozen=True)
class Changed:
    """A document with some of its values replaced, removed or repeated at random."""

    document: Any
    seed: int
    changes: int

    def make(self) -> Any:
        chosen = random.Random(self.seed)  # noqa: S311 - no secret
        document = copy.deepcopy(self.document)
        for _ in range(self.changes):
            places = list(_places(document))
            container, key = chosen.choice(places)
            change = chosen.random()
            if change < 0.8:
                container[key] = copy.deepcopy(chosen.choice(VALUES))
            elif isinstance(container, list):
                container.extend(container * 5)
            elif change < 0.9:
                del container[key]
            else:
                container[chosen.choice(("", "\x1b", "[b]"))] = chosen.choice(VALUES)
        return document


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value[:3])
    for key, inner in items:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.mark.slow
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 3), old=st.booleans())
def test_a_record_is_refused_or_shown_everywhere(
    small_mnist: Path, folder: Path, seed: int, changes: int, old: bool
) -> None:
    original = runs.save(folder, small_mnist)
    runs.save(folder, small_mnist, 1)
    path = folder / original.id / "run.json"
    document = json.loads(path.read_bytes())
    if old:
        document["schema"] = 1
    changed = Changed(document, seed, changes).make()
    path.write_text(json.dumps({**changed, "id": original.id}))
    stored = run_store.list_runs(folder)
    screen = console._SafeConsole(file=io.StringIO(), markup=False, width=100)
    screen.print(run_tables.listed(stored.runs, stored))
    for sort in run_filter.SORTS:
        run_filter.select(stored.runs, run_filter.RunFilter(sort=sort, since="2020-01-01"))
    json_text.to_json([export_tables.of_listed(run) for run in stored.runs])
    try:
        run_store.read(path)
    except InputRefusedError:  # a list decodes only a part
        with pytest.raises(InputRefusedError):
            comparison.view([original.id], folder, small_mnist)
        return
    assert not stored.skipped
    for names in ([original.id], [examples.run(1).id, original.id]):
        shown = comparison.view(names, folder, small_mnist)
        screen.print(run_tables.report(shown))
        files.write_report(
            shown,
            files.ReportFiles(html=folder / "x.html", markdown=folder / "x.md", csv=folder / "csv"),
        )
        json_text.to_json(files.report_document(shown, files.ReportFiles()))
