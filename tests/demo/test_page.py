"""The demo page: one file, its one script, its policy, and its test images."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks.data.store import LabeledImages
from mnist_tasks.dataset_info import MNIST
from mnist_tasks.demo import examples
from tests.demo import pages
from tests.examples import MANY, ODD, PARTS
from tests.generated import digits

if TYPE_CHECKING:
    from mnist_tasks.dataset_info import DatasetInfo

SCRIPT = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_allows_its_script_and_its_style_and_nothing_else() -> None:
    html = pages.page()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    directives = dict(each.split(" ", 1) for each in unescape(policy).split("; "))
    (_, data), (attributes, script) = SCRIPT.findall(html)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert attributes == ""
    assert json.loads(data)["classes"] == list(MNIST.classes)
    assert directives == {
        "default-src": "'none'",
        "script-src": digest(script),
        "style-src": digest(style),
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }
    assert "style=" not in html
    assert not re.search(r"\bon\w+=", SCRIPT.sub("", html))
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert not re.search(r"https?:|innerHTML|\beval\b|fetch\(|import\(", script)


def test_the_script_fits_beside_25000_parameters() -> None:
    """The most that the default contract allows: 133 kB in Base64."""
    without_weights = len(pages.page().encode()) - len(pages.model()["weights"])
    assert without_weights < 250_000 - 134_000


@pytest.mark.parametrize("info", [ODD, MANY, PARTS], ids=lambda info: info.name)
def test_other_data_sets(info: DatasetInfo) -> None:
    html = pages.page(info)
    data, _ = (text for _, text in SCRIPT.findall(html))
    assert json.loads(data)["classes"] == list(info.classes)
    assert "alert(1)" not in SCRIPT.sub("", html).replace("&lt;script&gt;alert(1)", "")
    assert "Draw" not in html.partition("<script")[0]
    assert 'type="file"' in html


def test_examples_are_of_each_class_and_those_that_are_wrong() -> None:
    images, labels = digits(400)
    probabilities = np.full((400, 10), 0.01, np.float32)
    probabilities[np.arange(400), labels] = 0.9
    for place, confidence in ((7, 0.92), (300, 0.99)):
        probabilities[place, (labels[place] + 1) % 10] = confidence
    tried, wrong = examples.groups(LabeledImages(images=images, labels=labels), probabilities)
    names = [each.caption.partition(": ")[2] for each in tried.images]
    assert len(names) >= 20
    assert names == ([str(label) for label in range(10)] * 3)[: len(names)]
    assert [each.caption for each in wrong.images] == [
        f"Test image {place}: {labels[place]}" for place in (300, 7)
    ]
    assert wrong.about.startswith("Of the 2 wrong ones among 400,")


def test_large_images_are_fewer() -> None:
    info = replace(MANY, classes=("a", "b"))
    data = LabeledImages(
        images=np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), np.uint8),
        labels=(np.arange(40) % 2).astype(np.uint8),
        info=info,
    )
    (tried,) = examples.groups(data, np.eye(2, dtype=np.float32)[data.labels])
    assert 0 < len(tried.images) < 5
    assert sum(len(each.url) for each in tried.images) <= examples.MOST_BYTES


def test_no_name_of_the_script_is_used_twice() -> None:
    """Its files are one script, in which the last of two functions would win, silently."""
    _, (_, script) = SCRIPT.findall(pages.page())
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", script, re.MULTILINE)
    assert len(names) > 50
    assert len(names) == len(set(names))
