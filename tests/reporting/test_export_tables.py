"""The numbers of a report as tables."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.errors import UsageError
from mnist_tasks.reporting import export_tables, run_summary
from mnist_tasks.reporting.comparison import Comparison
from tests import examples, runs

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.reporting.run_view import RunView


def test_the_tables_have_the_numbers_of_the_record(view: RunView) -> None:
    found = export_tables.of_run(view)
    metrics = run_summary.metrics(view.record)
    assert metrics is not None
    assert all(found.values())
    require_columns(found)
    assert sum(row["images"] for row in found["confusion"]) == metrics.images  # type: ignore[misc]
    assert found["confusion"][12] == {"label": 1, "predicted": 2, "images": metrics.confusion[1][2]}
    assert [row["step"] for row in found["curve"]] == [point.step for point in view.record.curve]
    assert sum(row["images"] for row in found["calibration"]) == metrics.images  # type: ignore[misc]
    assert len(found["filters"]) == 8
    assert found["runs"][0]["accuracy"] == metrics.accuracy


def test_csv_files_read_back_unchanged(view: RunView, tmp_path: Path) -> None:
    found = export_tables.of_run(view)
    export_tables.write(found, tmp_path / "csv")
    assert {path.stem for path in (tmp_path / "csv").iterdir()} == set(found)
    with (tmp_path / "csv" / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == [point.loss for point in view.record.curve]


def test_tables_of_an_earlier_report_do_not_stay(view: RunView, tmp_path: Path) -> None:
    folder = tmp_path / "csv"
    export_tables.write(export_tables.of_run(view), folder)
    (folder / "hers.csv").touch()
    unchecked = replace(view, record=replace(view.record, check=None))
    found = {name for name, rows in export_tables.of_run(unchecked).items() if rows}
    export_tables.write(export_tables.of_run(unchecked), folder)
    assert {path.stem for path in folder.iterdir()} == {*found, "hers"}
    assert "clauses" not in found


@pytest.mark.parametrize("name", ["runs", "clauses", "ranking"])
@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "id\n", "\x89PNG\xff"])
def test_files_of_the_user_are_neither_replaced_nor_removed(
    name: str, content: str, view: RunView, tmp_path: Path
) -> None:
    hers = tmp_path / f"{name}.csv"
    hers.write_text(content, encoding="latin-1")
    with pytest.raises(UsageError) as caught:
        export_tables.write(export_tables.of_run(view), tmp_path)
    assert caught.value.found == f"{hers}, which no report wrote"
    assert caught.value.reason == "would-overwrite"
    assert hers.read_text(encoding="latin-1") == content
    assert list(tmp_path.glob("*.csv")) == [hers]


def require_columns(found: dict[str, list[export_tables.Row]]) -> None:
    assert found.keys() <= export_tables.COLUMNS.keys()
    for name, rows in found.items():
        assert all(export_tables.COLUMNS[name] <= row.keys() for row in rows[:1]), name


def test_hostile_text_is_neither_a_formula_nor_an_escape(view: RunView) -> None:
    record = replace(runs.with_hostile_text(view.record), seconds={"=1+1\x1b": 1.0, "-2": 1.0})
    hostile = replace(view, record=record, stored_runs=examples.stored(record))
    found = export_tables.of_run(hostile)
    text = "\n".join(map(export_tables.to_csv, filter(None, found.values())))
    assert "\x1b" not in text
    assert "\n'=1+1?,1.0" in text
    assert "\n'-2,1.0" in text


def test_the_tables_of_a_comparison_name_runs_by_letter(small_mnist: Path, tmp_path: Path) -> None:
    views = [runs.view(tmp_path / "runs", small_mnist, number) for number in (0, 1)]
    comparison = Comparison(views=tuple(views))
    found = export_tables.of_comparison(comparison)
    require_columns(found)
    assert [row["letter"] for row in found["runs"]] == ["A", "B"]
    assert {"name": "seed", "A": "0", "B": "1"} in found["differences"]
    (pair,) = comparison.pairs
    assert found["pairs"][0]["regressed"] == pair.counts.regressed
    assert len(found["changes"]) == len(pair.regressed) + len(pair.fixed)
