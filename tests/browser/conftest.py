"""The system's Chromium, and axe-core, which finds accessibility problems."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from mnist_tasks.data import datasets
from mnist_tasks.reporting import html
from tests import generated, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mnist_tasks.dataset_info import DatasetInfo

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = "axe-core@4.14.1"
AXE_SHA512 = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)


@dataclass
class Visit:
    """An open page with its console messages and its requests."""

    page: Any
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def lacking(reason: str) -> NoReturn:
    """Skip, or fail if `nox -s browser` requires a browser."""
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        lacking("playwright is not installed: `nox -s browser` installs it")
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        lacking("there is no Chromium: `apt-get install chromium` installs one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, exactly one version, from npm's registry."""
    npm = shutil.which("npm")
    if npm is None:
        lacking("npm is not installed: it downloads axe-core")
    folder = tmp_path_factory.mktemp("axe")
    done = subprocess.run(
        [npm, "pack", "--silent", "--pack-destination", str(folder), AXE],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lacking(f"npm could not fetch {AXE}: {done.stderr.strip()[-200:]}")
    (tarball,) = folder.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    assert digest == AXE_SHA512
    with tarfile.open(tarball) as archive:
        source = archive.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


@pytest.fixture
def visit(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Open a page in a window of some width, in a light or a dark color scheme."""
    contexts: list[Any] = []

    def opened(text: str, *, width: int = 1280, scheme: str = "light") -> Visit:
        path = tmp_path / f"page-{len(contexts)}.html"
        path.write_text(text, encoding="utf-8")
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        contexts.append(context)
        found = Visit(page=context.new_page())
        found.page.on("console", lambda message: found.messages.append(message.text))
        found.page.on("pageerror", lambda error: found.messages.append(str(error)))
        found.page.on("dialog", lambda dialog: found.messages.append(dialog.message))
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.goto(path.as_uri())
        return found

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def views(small_mnist: Path, tmp_path: Path) -> tuple[Any, ...]:
    return tuple(runs.view(tmp_path / "runs", small_mnist, number) for number in (0, 1))


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[DatasetInfo], Any]:
    """Make a run on another data set, with images and predictions."""

    def make(info: DatasetInfo) -> Any:
        dataset = generated.write_photos(tmp_path / "data", info, test=400)
        monkeypatch.setitem(datasets.KNOWN, info.name, dataset)
        return runs.view(tmp_path / "runs", tmp_path / "data", dataset=dataset)

    return make


@pytest.fixture
def page(views: tuple[Any, ...]) -> str:
    """The page of a run with all data."""
    return html.run(views[1])
