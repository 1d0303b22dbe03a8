"""The page of predictions for pictures in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mnist_tasks.dataset_info import MNIST, DatasetInfo
from mnist_tasks.reporting import html
from tests.examples import ODD, PARTS
from tests.predicting import predicted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser
LOADED = "images => images.every(image => image.complete && image.naturalWidth > 0)"


@pytest.mark.parametrize("info", [MNIST, PARTS, ODD], ids=lambda info: info.name)
@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1280, "dark")])
def test_it_fits_is_accessible_and_requests_nothing(
    visit: Callable[..., Visit], axe: str, info: DatasetInfo, width: int, scheme: str
) -> None:
    text = html.predictions(predicted.predictor(info), predicted.found(info))
    found = visit(text, width=width, scheme=scheme)
    assert found.messages == []
    assert [url for url in found.requests if not url.startswith("data:")] == [found.page.url]
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    assert found.page.locator("img").count() == 8
    assert found.page.locator("img").evaluate_all(LOADED)
    found.page.evaluate(axe)
    assert found.page.evaluate("axe.run()")["violations"] == []
