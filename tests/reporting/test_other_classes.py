"""Reports on other data sets: images in color, names of classes, and a hundred of them."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from mnist_tasks import console, listed_runs
from mnist_tasks.data import datasets
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.reporting import export_tables, html, markdown
from mnist_tasks.reporting.comparison import Comparison
from mnist_tasks.reporting.terminal import results
from mnist_tasks.reporting.terminal import runs as run_tables
from tests import examples, generated, runs
from tests.examples import MANY, ODD
from tests.reporting.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from mnist_tasks.data.datasets import Dataset
    from mnist_tasks.reporting.run_view import RunView


def known(info: DatasetInfo, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Write images of a data set, and make them known."""
    dataset = generated.write_photos(folder, info, test=400)
    monkeypatch.setitem(datasets.KNOWN, info.name, dataset)
    return dataset


def show(*parts: RenderableType, width: int = 80) -> str:
    screen = console._SafeConsole(file=io.StringIO(), markup=False, width=width)
    screen.print(*parts)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunView:
    dataset = known(examples.PARTS, tmp_path / "data", monkeypatch)
    return runs.view(tmp_path / "runs", tmp_path / "data", dataset=dataset)


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunView:
    dataset = known(MANY, tmp_path / "data", monkeypatch)
    return runs.view(tmp_path / "runs", tmp_path / "data", dataset=dataset)


def test_the_page_names_the_classes(parts: RunView) -> None:
    page = Page(html.run(parts))
    matrix = " ".join(page.texts["classes"].split())
    assert "nut bolt washer screw nut 94" in matrix
    assert parts.predictions is not None
    error = parts.predictions.wrong[0]
    label, predicted = (examples.PARTS.classes[n] for n in (error.label, error.predicted))
    text = " ".join(page.texts["errors"].split())
    assert f"said {predicted}, is {label} #{error.index} " in text
    assert "photos color" in [each["class"] for each in page.all("ul") if "class" in each]
    (section,) = (each for each in page.all("section") if each["id"] == "errors")
    assert section["style"] == f"--ratio:{20 / 24}"
    assert "30,000 images of Parts" in page.texts["reproduce"]
    assert "digit" not in html.run(parts).lower()


def test_a_hundred_classes_fit_on_a_page(many: RunView) -> None:
    text = html.run(many)
    page = Page(text)
    assert len(page.all("th")) < 250
    assert "100 classes" in page.texts["classes"]
    shown = " ".join(page.texts["classes"].split())
    assert re.search(r"class (\d\d) of a hundred class \d\d of a hundred \d ", shown)
    assert sum("--share" in (path.get("style") or "") for path in page.all("path")) <= 10
    assert len(text.encode()) <= html.LARGEST_PAGE


def test_four_classes_fit_into_a_terminal_as_a_matrix(parts: RunView) -> None:
    shown = show(run_tables.run(parts.record))
    assert "400 test images: labels (rows), predictions (columns)" in " ".join(shown.split())
    (heading,) = [line.split() for line in shown.splitlines() if "precision" in line]
    assert heading == ["class", "precision", "recall", "nut", "bolt", "washer", "screw"]


def test_ten_long_names_head_the_rows_of_the_matrix() -> None:
    fashion = datasets.FASHION_MNIST.info
    shown = show(run_tables.classes(examples.metrics(), fashion.classes))
    (row,) = [line.split() for line in shown.splitlines() if "Coat" in line and "%" in line]
    assert row[:4] == ["4", "Coat", "90.00%", "90.00%"]
    assert row[4:] == ["0", "0", "0", "0", "9", "1", "0", "0", "0", "0"]
    assert "T-shirt/top predicted as Trouser (1×)" in " ".join(shown.split())


def test_a_hundred_classes_become_the_worst_in_a_terminal(many: RunView) -> None:
    shown = show(run_tables.run(many.record))
    assert max(map(len, shown.splitlines())) <= 80
    assert "20 of 100 classes, the worst first" in shown
    assert shown.count("of a hundred") < 60


def test_a_hundred_classes_become_the_worst_in_markdown(many: RunView) -> None:
    text = markdown.run(many)
    assert "20 of 100 classes, the worst first" in text
    assert len(text.encode()) < markdown.LARGEST_BYTES
    assert "Shortened" not in text


def test_the_tables_have_a_row_for_each_class(many: RunView, parts: RunView) -> None:
    found = export_tables.of_run(many)["classes"]
    assert [each["name"] for each in found] == [*MANY.classes]
    assert list(found[0]) == ["label", "name", "precision", "recall", "support"]
    assert "digits" not in export_tables.of_run(parts)
    assert len(export_tables.of_run(parts)["confusion"]) == 16


def test_hostile_names_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = known(ODD, tmp_path / "data", monkeypatch)
    views = [runs.view(tmp_path / "runs", tmp_path / "data", number, dataset) for number in (0, 1)]
    for text in (html.run(views[0]), html.compare(Comparison(views=tuple(views)))):
        page = Page(text)
        assert page.all("script") == []
        assert "\x1b" not in text
        assert all(image["src"] for image in page.all("img"))
    assert "<script>alert(1)</script>" in Page(html.run(views[0])).texts["classes"]
    for shown in (
        run_tables.run(views[0].record),
        run_tables.compared(Comparison(views=tuple(views))),
    ):
        lines = show(shown).splitlines()
        assert "\x1b" not in "".join(lines)
        assert max(map(cell_len, lines)) <= 80
    assert "[red]" in show(run_tables.run(views[0].record))
    width = 0
    for line in markdown.run(views[0]).splitlines():
        cells = line.replace("\\|", "").count("|") if line.startswith("|") else 0
        assert not width or not cells or cells == width
        width = cells
    assert "<script>" not in markdown.run(views[0]).replace("\\<", "")


def test_the_check_names_another_data_set() -> None:
    assert "test images" not in show(results.checked(examples.check()))
    parts = replace(examples.check(), dataset=examples.PARTS)
    assert "test images: Parts" in show(results.checked(parts))


def test_an_unknown_data_set_has_a_page_without_images(
    parts: RunView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(datasets.KNOWN, "parts")
    page = Page(html.run(replace(parts)))
    assert page.texts["errors"].count("data set parts") == 1
    assert "unknown here" in page.texts["errors"]
    assert "washer" in page.texts["classes"]


def test_a_changed_data_set_has_a_page_without_images(
    parts: RunView, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = replace(examples.PARTS, classes=("bolt", "nut", "washer", "screw"))
    dataset = replace(datasets.KNOWN["parts"], info=renamed)
    monkeypatch.setitem(datasets.KNOWN, "parts", dataset)
    assert "others under the same name" in replace(parts).no_predictions


def test_runs_of_different_data_sets_are_not_compared(
    parts: RunView, small_mnist: Path, tmp_path: Path
) -> None:
    digits = runs.view(tmp_path / "runs", small_mnist, 1)
    both = examples.stored(parts.record, digits.record)
    views = tuple(replace(each, stored_runs=both) for each in (digits, parts))
    found = Comparison(views=views)
    assert found.pairs == ()
    assert found.unpaired == ("B: its data set is Parts",)
    assert "data set" in {row.name for row in found.differences}
    assert views[0].alike == (listed_runs.of(digits.record),)
    for text in (show(run_tables.newest(both), width=100), markdown.run(views[0])):
        assert "data set" in text
    assert "data set" in Page(html.run(views[0])).texts["runs"]
    alone = examples.stored(parts.record)
    assert "data set" not in show(run_tables.newest(alone), width=100)
