"""The page in a real browser: no messages, no requests, no overflow, accessible."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks.reporting import comparison, html, run_summary, run_text
from mnist_tasks.reporting.comparison import Comparison
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.sweeping.search_space import grid
from tests import examples, runs
from tests.examples import MANY, ODD
from tests.sweeping import runs as sweep_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mnist_tasks.dataset_info import DatasetInfo
    from mnist_tasks.reporting.comparison import Shown
    from mnist_tasks.reporting.run_view import RunView
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser
WIDTHS = (375, 1280)
SCHEMES = ("light", "dark")
CELLS = "rows => rows.map(row => [...row.children].map(cell => cell.innerText.trim()))"
SHEETS = """all => Promise.all(
    [...new Set(all.map(one => getComputedStyle(one).backgroundImage))].map(url => {
        const image = new Image();
        image.src = url.slice(5, -2);
        return image.decode().then(() => image.naturalHeight);
    }))"""
VISIBLE = "all => all.filter(one => one.checkVisibility()).map(one => one.className)"
LOADED = "images => images.every(image => image.complete && image.naturalWidth > 0)"


@pytest.fixture(params=["run", "comparison", "sweep"])
def any_page(request: pytest.FixtureRequest, views: tuple[RunView, ...], tmp_path: Path) -> str:
    if request.param == "sweep":
        return html.page(swept(tmp_path))
    return html.run(views[1]) if request.param == "run" else html.compare(Comparison(views=views))


def swept(folder: Path) -> Shown:
    """A sweep of four settings, two runs of which failed."""
    plan = Plan(settings=grid(["default", "plain"], {"max_shift": [0, 1]}), seeds=(0, 1, 2))
    sweep_runs.save(
        plan,
        folder / "swept",
        correct=lambda job: 900 + 10 * len(job.setting.recipe) + job.config.seed,
        fails=lambda job: job.setting.recipe == "plain" and job.config.seed == 2,
    )
    return comparison.view([str(folder / "swept")], folder)


def rows(visit: Visit, section: str, table: int = 0) -> list[list[str]]:
    """Return the text of each cell in the body of a section's table."""
    body = visit.page.locator(f"#{section} table").nth(table).locator("tbody tr")
    found: list[list[str]] = body.evaluate_all(CELLS)
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_fits_and_requests_nothing(
    visit: Callable[..., Visit], any_page: str, width: int, scheme: str
) -> None:
    found = visit(any_page, width=width, scheme=scheme)
    assert found.messages == []
    assert [url for url in found.requests if not url.startswith("data:")] == [found.page.url]
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    is_sweep = found.page.locator("#ranking").count()
    assert is_sweep or found.page.locator("img, i").count() > 20
    assert found.page.locator("img").evaluate_all(LOADED)
    for identity in found.page.locator("section").evaluate_all("all => all.map(one => one.id)"):
        assert found.page.locator(f"#{identity}").bounding_box()["height"] > 50


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(
    visit: Callable[..., Visit], any_page: str, axe: str, width: int, scheme: str
) -> None:
    found = visit(any_page, width=width, scheme=scheme)
    found.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    found.page.evaluate(axe)
    result = found.page.evaluate("axe.run()")
    assert [
        (each["id"], each["impact"], [node["html"] for node in each["nodes"]][:3])
        for each in result["violations"]
    ] == []
    assert len(result["passes"]) > 20


@pytest.mark.parametrize("info", [examples.PARTS, MANY, ODD], ids=lambda info: info.name)
@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1280, "dark")])
def test_other_classes_fit_and_are_accessible(
    visit: Callable[..., Visit],
    other: Callable[[DatasetInfo], RunView],
    axe: str,
    info: DatasetInfo,
    width: int,
    scheme: str,
) -> None:
    """Four classes of color images, a hundred classes, and classes of very long names."""
    found = visit(html.run(other(info)), width=width, scheme=scheme)
    assert found.messages == []
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    sheets = found.page.locator("#errors i").evaluate_all(SHEETS)
    assert len(sheets) > 2
    assert all(height >= info.image_shape[0] / 2 for height in sheets)
    found.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    found.page.evaluate(axe)
    assert found.page.evaluate("axe.run()")["violations"] == []


def test_a_dark_color_scheme_gives_a_dark_page(visit: Callable[..., Visit], page: str) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = (visit(page, scheme=scheme).page.evaluate(paper) for scheme in SCHEMES)
    assert (light, dark) == ("rgb(251, 251, 249)", "rgb(19, 21, 25)")


def test_its_numbers_are_those_of_the_record(
    visit: Callable[..., Visit], page: str, views: tuple[RunView, ...]
) -> None:
    found = visit(page)
    view, record = views[1], views[1].record
    metrics = run_summary.metrics(record)
    assert record.check is not None
    assert metrics is not None
    assert view.predictions is not None
    figures = found.page.locator(".figures").inner_text()
    for shown in (
        f"{metrics.accuracy:.2%}",
        run_text.interval(record),
        f"of {metrics.images:,} test images",
        f"{record.model.parameters:,}",
        f"{sum(record.seconds.values()):.1f} s",
    ):
        assert shown in figures
    assert rows(found, "verdict") == [
        [each.name, each.bound, each.found, each.status] for each in record.check.verdict.clauses
    ]
    assert rows(found, "training") == [
        [str(each.epoch), f"{each.loss:.4f}", f"{each.accuracy:.2%}", "2.00", "15,000"]
        for each in record.epochs
    ]
    assert rows(found, "classes") == [
        [str(label), *map(str, row)] for label, row in enumerate(metrics.confusion)
    ]
    assert [row[:4] for row in rows(found, "classes", 1)] == [
        [str(each.label), f"{each.precision:.2%}", f"{each.recall:.2%}", f"{each.support:,}"]
        for each in run_summary.by_class(metrics, record.dataset.classes)
    ]
    assert [row[1:] for row in rows(found, "calibration")] == [
        [f"{each.images:,}", f"{each.confidence:.1%}", f"{each.accuracy:.1%}"]
        for each in view.predictions.calibration
    ]
    assert [row[:2] for row in rows(found, "time")] == [
        [phase, f"{seconds:.2f}"] for phase, seconds in record.seconds.items()
    ]
    assert [row[3:] for row in rows(found, "network")] == [
        [f"{each.parameters:,}", f"{each.operations:,}"] for each in record.network
    ]
    assert [row[0] for row in rows(found, "runs")] == [views[1].record.id, views[0].record.id]
    assert found.page.locator("#errors .photos li").count() == len(
        (*view.predictions.wrong, *view.predictions.least_certain_correct)
    )
    typical = len(view.predictions.typical_correct)
    assert found.page.locator("#errors [role=img]").count() == typical
    assert found.page.locator("#reproduce code").inner_text() == record.command


def test_the_curves_as_a_table_open_by_keyboard(
    visit: Callable[..., Visit], page: str, views: tuple[RunView, ...]
) -> None:
    found = visit(page)
    assert found.page.locator("summary").inner_text() == "Show the numbers"
    found.page.locator("summary").focus()
    found.page.keyboard.press("Enter")
    assert [row[0] for row in rows(found, "training", 1)] == [
        str(point.step) for point in views[1].record.curve
    ]


def spoken(visit: Visit) -> str:
    """Return what a screen reader can read, text that the style sheet adds included."""
    session = visit.page.context.new_cdp_session(visit.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    return " ".join(" ".join(each.get("name", {}).get("value", "") for each in nodes).split())


def test_two_lists_filter_the_wrong_images(
    visit: Callable[..., Visit], page: str, views: tuple[RunView, ...]
) -> None:
    found = visit(page)
    assert views[1].predictions is not None
    wrong = [f"w0 is{each.label} said{each.predicted}" for each in views[1].predictions.wrong]
    first = views[1].predictions.wrong[0]
    items = found.page.locator(".wrong li")
    labels, predictions = map(found.page.get_by_label, ("True class", "Predicted class"))
    assert items.evaluate_all(VISIBLE) == wrong
    assert " chosen" not in spoken(found)
    labels.select_option(str(first.label))
    chosen = [each for each in wrong if f" is{first.label} " in each]
    assert items.evaluate_all(VISIBLE) == chosen
    assert f"{len(chosen)} chosen" in spoken(found)
    predictions.select_option(str(first.predicted))
    chosen = [each for each in chosen if each.endswith(f"said{first.predicted}")]
    assert items.evaluate_all(VISIBLE) == chosen
    found.page.emulate_media(media="print")
    assert items.evaluate_all(VISIBLE) == chosen
    assert labels.is_visible()
    found.page.emulate_media(media="screen")
    labels.select_option("")
    said = next(each for each in views[1].predictions.wrong if each.predicted != first.predicted)
    predictions.select_option(str(said.predicted))
    assert items.evaluate_all(VISIBLE) == [
        each for each in wrong if each.endswith(f"said{said.predicted}")
    ]
    labels.select_option(str(first.label))
    assert items.evaluate_all(VISIBLE) == []
    assert "0 chosen" in spoken(found)
    labels.select_option("")
    predictions.select_option("")
    assert items.evaluate_all(VISIBLE) == wrong


def test_the_lists_work_by_keyboard(
    visit: Callable[..., Visit], page: str, views: tuple[RunView, ...]
) -> None:
    found = visit(page)
    assert views[1].predictions is not None
    label = max(each.label for each in views[1].predictions.wrong)
    found.page.get_by_label("True class").focus()
    found.page.keyboard.press(str(label))
    shown = found.page.locator(".wrong li").evaluate_all(VISIBLE)
    assert shown
    assert all(f" is{label} " in each for each in shown)
    found.page.keyboard.press("Tab")
    assert found.page.evaluate("document.activeElement.id") == "said"
    found.page.keyboard.press("Tab")
    assert (
        found.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Wrong images"
    )


def test_all_images_are_printed(visit: Callable[..., Visit], page: str) -> None:
    found = visit(page)
    box = "document.querySelector('.many')"
    height = f"getComputedStyle({box}).maxHeight"
    assert found.page.evaluate(height) != "none"
    found.page.emulate_media(media="print")
    assert found.page.evaluate(height) == "none"
    assert found.page.evaluate(f"{box}.scrollHeight <= {box}.clientHeight + 1")


def test_the_first_tab_skips_the_navigation(visit: Callable[..., Visit], page: str) -> None:
    found = visit(page)
    found.page.keyboard.press("Tab")
    assert found.page.evaluate("document.activeElement.innerText") == "Skip to content"
    box = found.page.locator(".skip").bounding_box()
    assert box["x"] >= 0
    found.page.keyboard.press("Enter")
    assert found.page.url.endswith("#content")


def test_every_link_leads_to_a_section(visit: Callable[..., Visit], any_page: str) -> None:
    found = visit(any_page)
    found.page.emulate_media(reduced_motion="reduce")  # no smooth scrolling to wait for
    for link in found.page.locator("nav a").all():
        link.click()
        target = link.get_attribute("href")
        assert found.page.url.endswith(target)
        assert found.page.locator(target).is_visible()


def test_a_sweep_is_drawn_with_its_settings(visit: Callable[..., Visit], tmp_path: Path) -> None:
    found = visit(html.page(swept(tmp_path)), width=375)
    assert [row[:3] for row in rows(found, "ranking")] == [
        ["1", "default max_shift=0", "3"],
        ["2", "default max_shift=1", "3"],
        ["3", "plain max_shift=0", "2"],
        ["4", "plain max_shift=1", "2"],
    ]
    assert found.page.locator("#accuracy circle.run").count() == 10
    assert len(rows(found, "failed")) == 2
    ends = "paths => paths.map(path => getComputedStyle(path).strokeDasharray)"
    dashes = found.page.locator("#curves .legend path").evaluate_all(ends)
    assert len(set(dashes)) == 4


def test_the_lines_of_runs_are_told_apart_by_labels(
    visit: Callable[..., Visit], views: tuple[RunView, ...]
) -> None:
    found = visit(html.compare(Comparison(views=views)))
    chart = found.page.locator("#curves .chart").first
    assert chart.locator("text.note").all_text_contents() == ["A", "B"]
    boxes = [text.bounding_box() for text in chart.locator("text.note").all()]
    assert boxes[0]["y"] + 10 <= boxes[1]["y"] or boxes[1]["y"] + 10 <= boxes[0]["y"]


def test_it_prints(visit: Callable[..., Visit], any_page: str) -> None:
    found = visit(any_page, scheme="dark")
    printed = found.page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") > 1
    found.page.emulate_media(media="print", color_scheme="dark")
    paper = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert not found.page.locator("nav").is_visible()
    assert found.page.locator("#verdict, #results, #ranking").first.is_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_text_stays_text(
    visit: Callable[..., Visit], views: tuple[RunView, ...], width: int
) -> None:
    record = runs.with_hostile_text(views[0].record)
    hostile = replace(views[0], record=record, stored_runs=examples.stored(record))
    for text in (html.run(hostile), html.compare(Comparison(views=(hostile, views[1])))):
        found = visit(text, width=width)
        assert found.messages == []
        assert len(found.requests) == 1 or all(
            url.startswith("data:") for url in found.requests[1:]
        )
        assert found.page.evaluate("document.documentElement.scrollWidth") <= width
        assert "<script>alert(1)</script>" in found.page.locator("body").inner_text()
        assert found.page.locator("script").count() == 0


def test_an_unchecked_run_has_a_page(
    visit: Callable[..., Visit], views: tuple[RunView, ...], tmp_path: Any
) -> None:
    bare = replace(views[0].record, check=None, network=(), filters=(), curve=())
    found = visit(html.run(replace(views[0], record=bare, folder=tmp_path)), width=375)
    assert found.messages == []
    assert found.page.locator("h1").inner_text().strip() == "Not checked yet."
    assert found.page.locator("section").count() == len(html.SECTIONS) - 1  # no other runs
