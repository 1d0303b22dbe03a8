"""The page: its content, and that text from a record is never markup."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.code_records import NetworkSource
from mnist_tasks.data import datasets
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import html, markdown
from mnist_tasks.reporting.comparison import Comparison
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.reporting.terminal import results
from mnist_tasks.reporting.terminal import runs as run_tables
from mnist_tasks.run_store import StoredRuns
from mnist_tasks.verdict import Verdict
from tests import check_results, examples, runs
from tests.reporting.pages import Page
from tests.reporting.terminal.test_results import show

if TYPE_CHECKING:
    from pathlib import Path


def test_the_results_on_validation_images_are_columns_where_there_are_any(view: RunView) -> None:
    assert "validation" not in Page(html.run(view)).texts["training"]
    first, *others = view.record.epochs
    measured = replace(first, validation_loss=0.0625, validation_accuracy=0.875)
    record = replace(view.record, epochs=(measured, *others))
    shown = Page(html.run(replace(view, record=record))).texts["training"]
    assert all(each in shown for each in ("validation accuracy", "0.0625", "87.50%"))
    assert "accuracy 87.50%, loss 0.0625" in show(
        results.trained(replace(record, epochs=(measured,)))
    )


def test_the_validation_of_a_run_says_which_images_and_which_epoch_was_the_best(
    view: RunView,
) -> None:
    epochs = tuple(
        replace(view.record.epochs[0], epoch=n, validation_loss=0.1, validation_accuracy=accuracy)
        for n, accuracy in enumerate([0.95, 0.96, 0.97, *[0.98] * 5, 0.975], start=1)
    )
    record = replace(view.record, epochs=epochs, validation=5000)
    shown = " ".join(show(results.trained(record)).split())
    assert "accuracy 97.50%, loss 0.1000, on 5,000 images" in shown
    assert "by epoch: … 96.00%, 97.00%, 98.00%," in shown
    assert "97.50%; the best is 98.00%, in epoch 4" in shown
    page = Page(html.run(replace(view, record=record))).texts
    assert "on the last 5,000 training images" in page["training"]
    assert "the last 5,000 training images" in page["reproduce"]


def test_every_section_is_there_with_the_figures_of_the_record(view: RunView) -> None:
    page = Page(html.run(view))
    record = view.record
    assert record.check is not None
    metrics = record.check.metrics
    assert metrics is not None
    for section in html.SECTIONS:
        assert page.texts.get(section, "").strip() or section == "runs"
    for clause in record.check.verdict.clauses:
        assert clause.name in page.texts["verdict"]
        assert clause.bound in page.texts["verdict"]
        assert clause.found in page.texts["verdict"]
    assert f"{metrics.accuracy:.2%}" in page.texts["classes"]
    for label, row in enumerate(metrics.confusion):
        assert " ".join(map(str, (label, *row))) in " ".join(page.texts["classes"].split())
    assert "0.2500" in page.texts["training"]  # the loss of the second epoch
    assert "4.10" in page.texts["time"]
    assert "12,168" in page.texts["network"]
    assert "25,688" in page.texts["network"]  # all operations
    assert record.command in page.texts["reproduce"]
    assert record.model.sha256 in page.texts["reproduce"]
    assert record.id in page.texts["reproduce"] + page.texts["top"]


def test_a_single_run_is_not_listed_beside_itself(view: RunView) -> None:
    other = examples.run(5, checked=examples.check())
    both = replace(view, stored_runs=examples.stored(view.record, other))
    for each, is_listed in ((view, False), (both, True)):
        assert ('id="runs"' in html.run(each)) == is_listed
        assert ("### Past runs" in markdown.run(each)) == is_listed
        assert ("Runs: " in show(run_tables.report(each))) == is_listed
    assert "Accuracy by" not in Page(html.run(both)).texts["runs"]  # two are no chart


def test_the_verdict_names_the_contract(view: RunView) -> None:
    assert "checked against the default contract on 22 Nov" in Page(html.run(view)).texts["verdict"]
    checked = replace(examples.check(), contract="../pyproject.toml")
    shown = html.run(replace(view, record=replace(view.record, check=checked)))
    assert "checked against ../pyproject.toml on 22 Nov" in Page(shown).texts["verdict"]


def test_the_images_have_their_predictions_as_text(view: RunView) -> None:
    page = Page(html.run(view))
    found = view.predictions
    assert found is not None
    text = " ".join(page.texts["errors"].split())
    for each in found.wrong:
        assert f"said {each.predicted}, is {each.label} #{each.index} " in text
    for each in found.least_certain_correct:
        assert f"{each.label} #{each.index} · {each.confidence:.1%}" in text
    typical = [image["title"] for image in page.all("i") if image.get("role") == "img"]
    assert typical == [
        f"Test image {each.index}: {each.label}, {each.confidence:.1%}"
        for each in found.typical_correct
    ]
    assert sum("filter" in (image["alt"] or "") for image in page.all("img")) == 2
    assert all(
        (image["src"] or "").startswith("data:image/png;base64,") for image in page.all("img")
    )


def test_the_page_loads_and_runs_nothing(view: RunView) -> None:
    text = html.run(view)
    page = Page(text)
    assert len(text.encode()) < html.LARGEST_PAGE
    assert page.all("script") == []
    assert "default-src 'none'" in text
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert "url(" not in text.replace("url(data:image/", "")
    assert "@import" not in text


def test_headings_are_in_order_and_tables_are_labeled(view: RunView) -> None:
    page = Page(html.run(view))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in header for header in page.all("th"))
    assert all(svg.get("aria-label") for svg in page.all("svg") if svg.get("role") == "img")
    assert {link["href"] for link in page.all("a")} <= {
        f"#{attributes['id']}" for _, attributes in page.elements if "id" in attributes
    }


def test_hostile_text_shows_as_text(view: RunView, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = Page(html.run(view))
    record = runs.with_hostile_text(view.record)
    assert record.check is not None
    info = replace(record.check.dataset, name="mnist")
    record = replace(record, check=replace(record.check, dataset=info))
    known = replace(datasets.KNOWN["mnist"], info=info)
    monkeypatch.setitem(datasets.KNOWN, "mnist", known)
    stored = examples.stored(record, skipped=(runs.HOSTILE,))
    text = html.run(replace(view, record=record, stored_runs=stored))
    page = Page(text)
    # Between long names is a line end.
    assert {tag for tag, _ in page.elements} == {tag for tag, _ in clean.elements} | {"br"}
    for control in ("\x1b", "\u202e", "\x07"):
        assert control not in text
    shown = "<script>alert(1)</script>\"'>?[31m?[red]|`@bob` {{ 7*7 }}xxx"
    for section in ("verdict", "classes", "errors", "time", "network", "reproduce", "runs"):
        assert shown in page.texts[section], section


def test_the_code_of_a_network_keeps_its_lines(view: RunView) -> None:
    text = "def build():\n\treturn '<b>' & 1\n"
    source = NetworkSource(path="net.py", function="build", text=text, sha256="0" * 64)
    record = replace(view.record, network_source=source, trainer="fit")
    shown = html.run(replace(view, record=record))
    assert "<code>def build():\n    return &#39;&lt;b&gt;&#39; &amp; 1</code>" in shown
    page = Page(shown)
    assert "The network default, trained for" in page.texts["top"]
    assert "Keras's fit" in page.texts["reproduce"]


def test_no_line_ends_inside_a_number(view: RunView) -> None:
    record = replace(view.record, recipe={"name": "default", "epsilon": 1e-203, "b": "e-5 1e-7<"})
    text = html.run(replace(view, record=record))
    assert '<dd><span class="number">1e-203</span></dd>' in text
    assert '<dd>e-5 <span class="number">1e-7</span>&lt;</dd>' in text
    assert '(99% interval <span class="number">' in text
    assert '<td><span class="number">&gt; 95.00%</span></td>' in text
    assert ".number { white-space: nowrap; }" in text


def test_an_inconclusive_verdict_says_what_it_means(view: RunView) -> None:
    check = check_results.of(check_results.FINE, check_results.ACCURACY).check
    page = Page(html.run(replace(view, record=replace(view.record, check=check))))
    meaning = "could be slightly better or worse"
    assert f"Inconclusive, {meaning}: test accuracy must be > 95.00%" in page.texts["top"]
    assert page.texts["verdict"].count(meaning) == 2  # what it is, and at the clause
    assert meaning not in html.run(view)


def test_the_scales_of_axes_are_named(view: RunView) -> None:
    text = html.run(view)
    assert "<figcaption>Loss <small>nats, log scale</small>" in text
    assert "<small>share of images, log scale of the errors</small>" in text


def test_an_unchecked_run_says_what_to_do() -> None:
    record = examples.run()
    text = html.run(_alone(record))
    page = Page(text)
    assert "Not checked yet." in text
    assert "Run mnist-tasks check to evaluate" in page.texts["verdict"]
    assert text.count("<code>mnist-tasks check</code>") >= 2
    assert "predictions.npz is missing" in page.texts["errors"]
    assert "predictions.npz is missing" in page.texts["calibration"]
    assert "The layers were not recorded." in page.texts["network"]


def test_a_failed_contract_is_the_headline() -> None:
    page = Page(html.run(_alone(examples.run(checked=examples.check(passed=False)))))
    assert page.texts["top"].split("UTC")[1].strip().startswith("The contract did not pass.")
    assert "test accuracy must be > 95.00%, found: 90.00%" in page.texts["top"]
    assert "failed" in page.texts["verdict"]


def test_the_versions_of_keras_and_the_note_of_a_clause_are_shown() -> None:
    check = examples.check()
    clause = replace(check.verdict.clauses[0], note="pixels 0-255")
    check = replace(
        check, keras="tf-keras 2.21.0", keras_version="2.3.1", verdict=Verdict(clauses=(clause,))
    )
    page = Page(html.run(_alone(examples.run(checked=check))))
    assert "written by Keras 2.3.1, run with tf-keras 2.21.0" in page.texts["verdict"]
    assert "pixels 0-255" in page.texts["verdict"]


def test_a_model_without_predictions_still_has_a_page() -> None:
    check = replace(examples.check(passed=False), metrics=None)
    page = Page(html.run(_alone(examples.run(checked=check))))
    assert "No metrics to show." in page.texts["classes"]


def test_a_perfect_model_has_a_page(view: RunView) -> None:
    assert view.record.check is not None
    perfect = tuple(
        tuple(10 if predicted == label else 0 for predicted in range(10)) for label in range(10)
    )
    metrics = replace(examples.metrics(), confusion=perfect, loss=0.0)
    record = replace(view.record, check=replace(view.record.check, metrics=metrics))
    page = Page(html.run(_alone(record)))
    assert "100.00%" in page.texts["classes"]


def test_runs_are_compared_side_by_side(small_mnist: Path, tmp_path: Path) -> None:
    views = [runs.view(tmp_path / "runs", small_mnist, number) for number in (0, 1, 2)]
    comparison = Comparison(views=tuple(views))
    page = Page(html.compare(comparison))
    assert "seed" in page.texts["settings"]
    pair = comparison.pairs[0]
    assert f"{pair.outcome} {pair.difference}" in page.texts["images"]
    alts = [image["alt"] or "" for image in page.all("img")]
    assert len(alts) == sum(len(each.regressed) + len(each.fixed) for each in comparison.pairs)
    assert f"Test image {pair.regressed[0].index}: " in alts[0]


def test_hostile_text_in_a_comparison_shows_as_text(view: RunView) -> None:
    record = runs.with_hostile_text(view.record)
    versions = record.machine.versions | {"contract": runs.HOSTILE}  # the name of a result, too
    record = replace(record, machine=replace(record.machine, versions=versions))
    hostile = replace(view, record=record)
    text = html.compare(Comparison(views=(view, hostile)))
    assert Page(text).all("script") == []
    assert "\x1b" not in text
    assert "<script>alert" in Page(text).texts["settings"]


def test_a_thousand_runs_still_make_a_small_page_quickly() -> None:
    record = examples.run(checked=examples.check())
    many = tuple(
        replace(record, id=f"run-{n}", model=replace(record.model, parameters=1000 + 7 * n))
        for n in range(1000)
    )
    begun = time.process_time()
    text = html.run(_alone(record, examples.stored(*many)))
    assert time.process_time() - begun < 2
    assert len(text.encode()) < html.LARGEST_PAGE


@pytest.mark.parametrize("loss", [0.0, 1e-12, 1e9])
def test_any_loss_has_a_chart(loss: float) -> None:
    record = examples.run()
    odd = tuple(replace(point, loss=loss, accuracy=1.0) for point in record.curve)
    assert "Loss" in Page(html.run(_alone(replace(record, curve=odd)))).texts["training"]


def _alone(record: RunRecord, stored: StoredRuns | None = None) -> RunView:
    from pathlib import Path

    nowhere = Path("nowhere")
    return RunView(
        record=record,
        folder=nowhere,
        stored_runs=stored or examples.stored(record),
        data_folder=nowhere,
    )
