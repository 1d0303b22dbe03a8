"""The demo page in a real browser: drawing, test images, pictures, keyboard, screen reader."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.dataset_info import MNIST
from mnist_tasks.demo import page as demo_page
from mnist_tasks.demo.model_data import model_data
from mnist_tasks.predicting import picture_pixels, preparation
from mnist_tasks.reporting.figures import images
from mnist_tasks.vetting import image_input, network
from mnist_tasks.vetting.execution import inference
from mnist_tasks.vetting.network import (
    Activation,
    Convolution,
    Dense,
    Network,
    Pooling,
    Reshape,
    Scaling,
)
from tests.demo import pages
from tests.examples import MANY, ODD, PARTS
from tests.generated import digits
from tests.predicting import drawings
from tests.vetting.arithmetic import compute

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from mnist_tasks.dataset_info import DatasetInfo
    from mnist_tasks.vetting.network import Operation
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser
SIZES = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]
SHARES = "rows => rows.map(row => Number(row.style.getPropertyValue('--share')))"
BRIGHT = """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
    .filter((value, i) => i % 4 === 0 && value > 127).length"""
# Milliseconds from the end of a stroke until the bars have changed, of each stroke.
MEASURE = """() => {
  window.latencies = [];
  let began = null;
  document.addEventListener('pointerup', () => began = performance.now(), {capture: true});
  document.addEventListener('pointermove', () => began = performance.now(), {capture: true});
  new MutationObserver(() => {
    if (began !== null) window.latencies.push(performance.now() - began);
    began = null;
  }).observe(document.getElementById('bars'), {attributes: true, subtree: true});
}"""


@pytest.fixture
def demo(visit: Callable[..., Visit]) -> Visit:
    return visit(pages.page())


def settled(page: Any) -> Any:
    """Wait until the page has shown what it was given last."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page


def draw(page: Any, *, at: float = 0.5) -> None:
    """Draw a one with the mouse: a vertical line, `at` a share of the width."""
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    x = box["x"] + at * box["width"]
    page.mouse.move(x, box["y"] + 0.2 * box["height"])
    page.mouse.down()
    for step in range(2, 9):
        page.mouse.move(x + step, box["y"] + step / 10 * box["height"])
    page.mouse.up()
    settled(page)


def shares(page: Any) -> list[float]:
    found: list[float] = settled(page).locator("#bars li").evaluate_all(SHARES)
    return found


def bright(page: Any, canvas: str) -> int:
    found: int = settled(page).locator(canvas).evaluate(BRIGHT)
    return found


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_it_fits_loads_nothing_and_is_accessible(
    visit: Callable[..., Visit], axe: str, width: int, scheme: str
) -> None:
    found = visit(pages.page(), width=width, scheme=scheme)
    draw(found.page)
    assert found.messages == []
    assert [url for url in found.requests if not url.startswith("data:")] == [found.page.url]
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    found.page.evaluate(axe)
    result = found.page.evaluate("axe.run()")
    assert [
        (each["id"], [node["html"] for node in each["nodes"]]) for each in result["violations"]
    ] == []
    assert len(result["passes"]) > 15


@pytest.mark.parametrize("info", [PARTS, MANY, ODD], ids=lambda info: info.name)
def test_other_classes_fit_and_are_accessible(
    visit: Callable[..., Visit], axe: str, info: DatasetInfo
) -> None:
    found = visit(pages.page(info), width=375)
    found.page.locator(".examples label").first.click()
    assert sum(shares(found.page)) == pytest.approx(1, abs=1e-3 if len(info.classes) < 12 else 1)
    assert found.messages == []
    assert found.page.evaluate("document.documentElement.scrollWidth") <= 375
    assert found.page.locator("#pad[tabindex], #undo").count() == 0
    found.page.evaluate(axe)
    assert found.page.evaluate("axe.run()")["violations"] == []


def test_each_operation_is_computed(visit: Callable[..., Visit]) -> None:
    """Also of sizes that no recipe has, and other ranges of pixels."""
    random = np.random.default_rng(3)

    def weights(*shape: int) -> bytes:
        return random.normal(0, 0.4, shape).astype("<f4").tobytes()

    def pooling(name: Any, size: tuple[int, int], strides: tuple[int, int], *, same: bool) -> Any:
        return Pooling(function=name, size=size, strides=strides, same=same)

    def convolution(channels: int, filters: int, size: tuple[int, int], **others: Any) -> Any:
        kernel, bias = weights(*size, channels, filters), weights(filters)
        return Convolution(size=size, filters=filters, kernel=kernel, bias=bias, **others)

    operations: list[Operation] = [
        convolution(1, 7, (5, 4), strides=(2, 1), same=True),
        Activation(function="relu"),
        Scaling(factors=weights(7), summands=weights(7)),
        pooling("max", (3, 2), (2, 3), same=True),
        convolution(7, 8, (3, 2), strides=(1, 2), same=False),
        pooling("average", (2, 3), (3, 2), same=True),
        pooling("average", (1, 2), (1, 1), same=False),
        Reshape(shape=(1, 1, 32)),
        Dense(units=10, kernel=weights(32, 10), bias=weights(10)),
        Activation(function="softmax"),
    ]
    network.require_valid(Network(operations=operations, unsupported=[]), (28, 28, 1), 10)
    pixels = image_input.CONVENTIONS["-1-1"]
    model = model_data(operations, (28, 28, 1), info=MNIST, pixels=pixels, draws=True)
    page = visit(demo_page.render(model, MNIST, facts="")).page
    given, _ = digits(20)
    for image in given:
        found = page.evaluate("pixels => Array.from(predict(pixels))", image.ravel().tolist())
        expected = compute(operations, image.reshape(28, 28, 1) / 127.5 - 1)
        np.testing.assert_allclose(found, expected.ravel(), rtol=0, atol=1e-5)
    assert expected.std() > 0.01


SOFTMAX = Activation(function="softmax")
FLAT, SQUARE = Reshape(shape=(1, 1, 10)), Reshape(shape=(2, 5, 1))


@pytest.mark.parametrize(
    "last",
    [
        [],
        [SOFTMAX],
        [SOFTMAX, SQUARE, FLAT],
        [SOFTMAX, Pooling(function="average", size=(1, 1), strides=(1, 1), same=False)],
        [Reshape(shape=(1, 2, 5)), SOFTMAX, FLAT],  # two distributions of five values
        [Activation(function="relu")],
    ],
)
def test_outputs_become_probabilities_as_in_a_check(
    visit: Callable[..., Visit], last: list[Operation]
) -> None:
    operations = [*pages.operations(MNIST)[:-1], *last]
    pixels = image_input.DEFAULT.pixels
    model = model_data(operations, (28, 28, 1), info=MNIST, pixels=pixels, draws=True)
    page = visit(demo_page.render(model, MNIST, facts="")).page
    image = digits(1)[0][0]
    found = page.evaluate("pixels => Array.from(predict(pixels))", image.ravel().tolist())
    outputs = compute(operations, image.reshape(28, 28, 1) / 255)
    expected = inference.probabilities(outputs.reshape(1, -1))
    np.testing.assert_allclose(found, expected[0], rtol=0, atol=1e-5)


def test_the_bars_move_while_one_draws(demo: Visit) -> None:
    page = demo.page
    assert shares(page) == [0] * 10
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 50)
    page.mouse.down()
    seen = set()
    for step in range(6):
        page.mouse.move(box["x"] + 100 + 30 * step, box["y"] + 50 + 40 * step)
        found = shares(page)
        assert sum(found) == pytest.approx(1, abs=1e-5)
        seen.add(tuple(found))
    assert len(seen) > 3
    page.mouse.up()
    best = int(np.argmax(found))
    assert page.locator("#answer").inner_text() == str(best)
    assert page.locator("li.best").inner_text().split() == [str(best), f"{found[best]:.1%}"]
    assert bright(page, "#seen") > 10


def test_undo_clear_and_thickness(demo: Visit) -> None:
    page = demo.page
    undo, clear = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Clear")
    assert undo.is_disabled()
    assert clear.is_disabled()
    draw(page)
    thin = bright(page, "#pad")
    page.get_by_label("Thickness").fill("60")
    draw(page, at=0.3)
    assert bright(page, "#pad") > 2.5 * thin
    two = shares(page)
    clear.click()
    assert bright(page, "#pad") == 0
    assert shares(page) == [0] * 10
    undo.click()
    assert shares(page) == two
    page.keyboard.press("Control+z")
    assert bright(page, "#pad") == thin


@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_fingers_and_pens_draw(visit: Callable[..., Visit], kind: str) -> None:
    found = visit(pages.page(), width=390)
    box = found.page.locator("#pad").bounding_box()
    session = found.page.context.new_cdp_session(found.page)
    points = [(box["x"] + 150, box["y"] + 60 + 30 * step) for step in range(6)]
    for number, (x, y) in enumerate(points):
        if kind == "touch":
            name = "touchMove" if number else "touchStart"
            event: dict[str, Any] = {"type": name, "touchPoints": [{"x": x, "y": y}]}
            session.send("Input.dispatchTouchEvent", event)
        else:
            name = "mouseMoved" if number else "mousePressed"
            event = {"type": name, "x": x, "y": y, "button": "left", "buttons": 1}
            session.send("Input.dispatchMouseEvent", {**event, "pointerType": "pen"})
    assert sum(shares(found.page)) == pytest.approx(1, abs=1e-5)
    assert bright(found.page, "#pad") > 1000
    # What is drawn with a finger must not scroll the page, which a real finger would do.
    style = found.page.locator("#pad").evaluate("pad => getComputedStyle(pad).touchAction")
    assert style == "none"


def test_everything_works_with_the_keyboard(demo: Visit) -> None:
    page = demo.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "pad"
    assert page.get_by_role("application", name="Drawing area").count() == 1
    assert page.get_by_role("slider", name="Thickness").count() == 1
    assert page.get_by_label("Choose a picture").get_attribute("type") == "file"
    page.keyboard.press("Space")
    for _ in range(14):
        page.keyboard.press("ArrowDown")
    assert bright(page, "#seen") > 10
    drawn = shares(page)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")  # the pen is up
    assert shares(page) == drawn
    page.keyboard.press("Delete")
    assert shares(page) == [0] * 10
    page.keyboard.press("Control+z")
    assert shares(page) == drawn
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
    assert reached == ["undo", "clear", "thickness", "file", "example", reached[-1]]
    page.locator("[name=example]").first.focus()
    page.keyboard.press("Space")
    first = page.locator("#note").inner_text()
    assert "Test image" in settled(page).locator("#note").inner_text()
    page.keyboard.press("ArrowRight")
    assert settled(page).locator("#note").inner_text() != first
    assert page.locator("[name=example]:checked").count() == 1


def test_a_screen_reader_hears_the_result_once_one_pauses(demo: Visit) -> None:
    page = demo.page
    page.evaluate(
        """() => {
          const said = window.said = [], spoken = document.getElementById('spoken');
          new MutationObserver(() => said.push(spoken.textContent))
            .observe(spoken, {childList: true});
        }"""
    )
    draw(page)
    draw(page, at=0.4)
    answer, note = page.locator("#answer").inner_text(), page.locator("#note").inner_text()
    page.wait_for_function("text => window.said.at(-1) === text", arg=f"{answer}: {note}")
    assert page.evaluate("window.said.length") <= 2  # not once for each move
    assert page.locator("#spoken").get_attribute("role") == "status"


def test_a_test_image_is_predicted_as_it_is(demo: Visit) -> None:
    page = demo.page
    wrong = page.get_by_role("group", name="Or one that it gets wrong")
    chosen = wrong.get_by_role("radio").first
    wrong.locator("label").first.click()
    assert chosen.is_checked()
    assert "Test image" in settled(page).locator("#note").inner_text()
    pixels = page.evaluate("Array.from(look().pixels)")
    shown = page.evaluate("Array.from(predict(look().pixels))")
    assert max(pixels) == 220
    assert shares(page) == pytest.approx(shown, abs=1e-6)
    draw(page)
    assert not chosen.is_checked()


def photos() -> list[NDArray[np.uint8]]:
    """Return pictures of digits: of several sizes, in uneven light, with noise, dark and bright."""
    random = np.random.default_rng(0)
    found = []
    for image, _ in zip(*digits(16), strict=True):
        scale = int(random.integers(2, 23))
        ink = np.kron(image[4:24, 6:22] > 200, np.ones((scale, scale)))
        height, width = (int(side * random.uniform(1.05, 2.2)) for side in ink.shape)
        cover = np.zeros((height, width))
        y, x = (random.integers(0, 1 + a - b) for a, b in zip(cover.shape, ink.shape, strict=True))
        cover[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
        rows, columns = np.mgrid[:height, :width] / max(height, width)
        ground = random.uniform(60, 220) - 50 * rows - 40 * columns**2
        change = random.choice([-0.7, 0.6])
        noise = random.normal(0, random.uniform(0, 6), cover.shape)
        found.append(np.clip(ground * (1 + change * cover) + noise, 0, 255).astype(np.uint8))
    blank = np.full((40, 60), 200, np.uint8)
    two = np.full((60, 90), 30, np.uint8)
    two[15:45, 20:26] = two[18:45, 60:68] = 210
    wide = np.pad(np.full((20, 90), 220, np.uint8), 15)
    wide[15:22, 15:60] = 0  # the center of mass of what is symmetric can be between two pixels
    return [*found, blank, two, wide, blank[:1, :1], drawings.dots_below_a_line()]


def test_pictures_are_prepared_as_by_predict(demo: Visit) -> None:
    prepared = """([height, width, text]) => {
      const values = Float64Array.from(atob(text), each => each.charCodeAt(0));
      const {digits, pixels} = preparePhoto({height, width, values});
      return [digits, ...pixels];
    }"""
    counts = set()
    for picture in photos():
        text = base64.b64encode(picture.tobytes()).decode()
        digits, *pixels = demo.page.evaluate(prepared, [*picture.shape, text])
        expected = preparation.prepare(picture)
        assert digits == expected.digits
        assert np.abs(np.array(pixels) - expected.image.ravel().astype(int)).max() <= 2
        counts.add(digits)
    assert counts >= {0, 1}


def test_transparent_pictures_get_the_ground_that_predict_gives_them(demo: Visit) -> None:
    opaque = "values => Array.from(makeOpaque({data: Uint8ClampedArray.from(values)}).data)"
    random = np.random.default_rng(0)
    for share in (0, 0.3, 0.7, 1):
        for color in (20, 120, 140, 240):
            pixels = np.clip(random.normal(color, 60, (9, 8, 4)), 0, 255).astype(np.uint8)
            pixels[..., 3] = np.where(random.uniform(size=(9, 8)) < share, 255, 100)
            found = demo.page.evaluate(opaque, pixels.ravel().tolist())
            expected = picture_pixels._opaque(pixels).astype(int)
            assert np.abs(np.reshape(found, pixels.shape)[..., :3] - expected).max() <= 1


def test_pictures_are_chosen_dropped_and_refused(demo: Visit, tmp_path: Path) -> None:
    page = demo.page
    photo = np.full((200, 300), 235, np.uint8)
    photo[60:150, 140:152] = 30
    name = tmp_path / "photo.png"
    name.write_bytes(images.png([row.tobytes() for row in photo]))
    page.locator("#file").set_input_files(name)
    page.locator("#answer", has_not_text="–").wait_for()
    chosen = shares(page)
    assert 25 < bright(page, "#seen") < 120
    page.get_by_role("button", name="Clear").click()
    (tmp_path / "notes.png").write_text("no picture")
    page.locator("#file").set_input_files(tmp_path / "notes.png")
    page.locator("#problem:not(:empty)").wait_for()
    assert page.locator("#problem").inner_text().startswith("notes.png: this is no picture")
    assert shares(page) == [0] * 10
    page.evaluate(
        """address => {
          const bytes = Uint8Array.from(atob(address.split(',')[1]), each => each.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], 'photo.png', {type: 'image/png'}));
          document.body.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true}));
        }""",
        images.photo(photo),
    )
    page.locator("#answer", has_not_text="–").wait_for()
    assert shares(page) == chosen
    assert page.locator("#problem").inner_text() == ""


def test_a_picture_of_another_data_set_is_resized_unless_it_is_blank(
    visit: Callable[..., Visit], tmp_path: Path
) -> None:
    page = visit(pages.page(PARTS), width=390).page
    style = page.locator("#pad").evaluate("pad => getComputedStyle(pad).touchAction")
    assert style == "auto"  # a finger on it scrolls
    for name, value in (("blank.png", 90), ("part.png", 200)):
        gray = np.full((50, 60), 90, np.uint8)
        gray[20:30] = value
        (tmp_path / name).write_bytes(images.png([row.tobytes() for row in gray]))
    page.locator("#file").set_input_files(tmp_path / "blank.png")
    page.wait_for_function("() => document.getElementById('note').textContent")
    assert page.locator("#note").inner_text() == "The picture is blank."
    assert not any(shares(page))
    page.locator("#file").set_input_files(tmp_path / "part.png")
    page.locator("#answer", has_not_text="–").wait_for()
    assert sum(shares(page)) == pytest.approx(1, abs=1e-3)


def test_a_bomb_is_refused_before_it_is_decoded(demo: Visit, tmp_path: Path) -> None:
    rows = [bytes(20_000)] * 6_000
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(images.png(rows))
    demo.page.locator("#file").set_input_files(bomb)
    demo.page.locator("#problem:not(:empty)").wait_for()
    assert "more than 64 million pixels" in demo.page.locator("#problem").inner_text()


def test_no_other_script_runs(demo: Visit) -> None:
    demo.page.evaluate(
        """() => {
          const script = document.createElement('script');
          try { script.textContent = 'window.ran = true'; } catch {}
          try { document.body.append(script); } catch {}
          const image = document.createElement('img');
          image.setAttribute('src', 'data:,');
          try { image.setAttribute('onerror', 'window.ran = true'); } catch {}
          document.body.append(image);
        }"""
    )
    settled(demo.page)
    assert demo.page.evaluate("window.ran") is None


def test_less_motion_is_respected(visit: Callable[..., Visit]) -> None:
    page = visit(pages.page()).page
    moves = "getComputedStyle(document.querySelector('.bar'), '::before').transitionDuration"
    assert page.evaluate(moves) == "0.12s"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moves) == "0s"


def test_the_first_answer_comes_at_once(demo: Visit) -> None:
    """The bound is ten times that of a free machine: 50 ms, for the first of all strokes, too."""
    demo.page.evaluate(MEASURE)
    for place in (0.3, 0.4, 0.5, 0.6):
        draw(demo.page, at=place)
    found = demo.page.evaluate("window.latencies")
    assert len(found) >= 4
    assert max(found[0], float(np.median(found))) < 500
