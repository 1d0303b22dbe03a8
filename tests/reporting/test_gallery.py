"""The images of a page, and what they add to its size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks.data import datasets
from mnist_tasks.reporting import export_tables, gallery, html, predicted_images
from mnist_tasks.reporting.figures import images
from tests import examples, generated, runs
from tests.reporting.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.dataset_info import DatasetInfo
    from mnist_tasks.reporting.run_view import RunView

NOISE = replace(
    examples.PARTS,
    name="noise",
    image_shape=(28, 28, 1),
    classes=tuple(f"<{number}> {'&' * 60}" for number in range(10)),
)
MANY_LONG = replace(
    examples.MANY, classes=tuple(f"{number:02}{'<&' * 31}" for number in range(100))
)


def bad(
    info: DatasetInfo, folder: Path, monkeypatch: pytest.MonkeyPatch, *, images: int
) -> RunView:
    """Return a run of a model that is always wrong."""
    dataset = generated.write_photos(folder / "data", info, test=images)
    monkeypatch.setitem(datasets.KNOWN, info.name, dataset)

    def predicted(labels: np.ndarray, *, seed: int, classes: int) -> np.ndarray:
        random = np.random.default_rng(seed)
        found = random.uniform(0, 0.1, (len(labels), classes)).astype(np.float32)
        places = (labels + random.integers(1, classes, len(labels))) % classes
        found[np.arange(len(labels)), places] += 0.5
        return found

    monkeypatch.setattr(runs, "probabilities", predicted)
    return runs.view(folder / "runs", folder / "data", dataset=dataset)


def shown(page: Page) -> list[dict[str, str | None]]:
    classes = [each for each in page.all("li") if "said" in (each.get("class") or "")]
    assert len(classes) == len([li for li in page.all("li") if (li.get("class") or "")[:1] == "w"])
    return classes


@pytest.mark.parametrize(("info", "count"), [(NOISE, 1_500), (MANY_LONG, 600)])
def test_a_bad_model_has_a_page_of_600_kb_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, info: DatasetInfo, count: int
) -> None:
    view = bad(info, tmp_path, monkeypatch, images=count)
    text = html.run(view)
    assert 500_000 < len(text.encode()) <= html.LARGEST_PAGE
    page = Page(text)
    number = len(shown(page))
    assert number < count
    assert f"{number:,} of {count:,} shown" in page.texts["errors"]
    assert "report --csv" in page.texts["errors"]
    assert len(export_tables.of_run(view)["wrong"]) == count


def test_all_wrong_images_are_shown_if_they_fit(view: RunView) -> None:
    page = Page(html.run(view))
    assert view.predictions is not None
    wrong = view.predictions.wrong
    assert [each["class"] for each in shown(page)] == [
        f"w0 is{each.label} said{each.predicted}" for each in wrong
    ]
    assert f"All {len(wrong)} of 128 test images" in page.texts["errors"]
    text = " ".join(page.texts["errors"].split())
    first = wrong[0]
    assert f"said {first.predicted}, is {first.label} #{first.index} · " in text


def test_the_most_confident_are_shown_where_not_all_fit(
    view: RunView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "PER_SHEET", 4)
    found = view.predictions
    assert found is not None
    most = [gallery.within(size, found.wrong, found.images, "0123456789") for size in (0, 6_000)]
    assert [len(each.sheets) for each in most] == [1, 2]
    assert most[0].predicted == found.wrong[:4]
    assert most[1].predicted == found.wrong[:8]
    assert most[1].sheets[1] == images.sheet(
        found.images[[each.index for each in found.wrong[4:8]]]
    )
    everything = gallery.within(10**6, found.wrong, found.images, "0123456789")
    assert everything == gallery.of(found.wrong, found.images)
    counts = dict(everything.labels)
    assert counts == {n: sum(each.label == n for each in found.wrong) for n in counts}
    assert sum(count for _, count in everything.predictions) == len(found.wrong)


def test_a_perfect_model_has_no_wrong_images(
    view: RunView, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = view.predictions
    assert found is not None
    monkeypatch.setattr(predicted_images.ImagePredictions, "wrong", ())
    text = html.run(view)
    assert "None of 128 test images." in Page(text).texts["errors"]
    assert Page(text).all("select") == []


def test_the_lists_of_classes_have_those_that_are_wrong(view: RunView) -> None:
    page = Page(html.run(view))
    assert view.predictions is not None
    lists = [select["id"] for select in page.all("select")]
    assert lists == ["is", "said"]
    values = [each["value"] for each in page.all("option")]
    wrong = view.predictions.wrong
    assert values == [
        *("", *map(str, sorted({each.label for each in wrong}))),
        *("", *map(str, sorted({each.predicted for each in wrong}))),
    ]
    assert page.all("script") == []
