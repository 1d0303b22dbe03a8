"""Measure `predict` on photos of MNIST's test digits: ``python benchmarks/photos.py MODEL``.

Each photo shows one test digit as ink on paper: of any size from 12% to 70% of the picture, off
center, rotated by up to 15 degrees, in colored ink on tinted paper, in uneven light and, in every
second one, with a shadow; blurred, noisy, and compressed as JPEG. The same digits are predicted
three times: as they are in MNIST, from the photo prepared as `predict` does, and from the photo
that is merely made gray, inverted and resized to 28 by 28 pixels. A photo that `predict` refuses
counts as wrong.
"""

from __future__ import annotations

import argparse
import io
import math
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mnist_tasks import api, stats
from mnist_tasks.config import available_cores
from mnist_tasks.dataset_info import MNIST
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.predicting import dataset_image, pictures
from mnist_tasks.vetting import sandbox

Pixels = NDArray[np.uint8]
BOX = 20  # pixels of the longer side of a digit in MNIST


def photo(digit: Pixels, random: np.random.Generator) -> bytes:
    """Return a photo of a digit, (28, 28) uint8, as a JPEG file."""
    height = int(random.integers(240, 721))
    width = int(height * random.uniform(0.75, 1.34))
    side = round(28 * random.uniform(0.12, 0.7) * min(height, width) / BOX)
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    turned = large.rotate(random.uniform(-15, 15), Image.Resampling.BICUBIC, expand=True)
    place = [
        int(random.uniform() * (all_ - own))
        for all_, own in zip((width, height), turned.size, strict=True)
    ]
    page = Image.new("L", (width, height))
    page.paste(turned, (place[0], place[1]))
    # Edges as sharp as those of ink, at half of the brightness.
    ink = np.clip((np.asarray(page)[..., None] / 255 - 0.3) / 0.4, 0, 1)

    paper = random.uniform(150, 240) * random.uniform(0.94, 1, 3)
    pen = random.uniform(15, 90) * random.uniform(0.6, 1.4, 3)
    colors = (paper * (1 - ink) + pen * ink) * _light(height, width, random)[..., None]
    blur = ImageFilter.GaussianBlur(random.uniform(0.4, 2.2))
    blurred = np.asarray(Image.fromarray(_bytes(colors)).filter(blur), np.float64)
    noisy = blurred + random.normal(0, random.uniform(1, 9), blurred.shape)
    content = io.BytesIO()
    Image.fromarray(_bytes(noisy)).save(content, "JPEG", quality=int(random.integers(45, 93)))
    return content.getvalue()


def _light(height: int, width: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return light from one side, less in the corners, and perhaps a shadow: (height, width)."""
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None] - 0.5
    angle = random.uniform(0, 2 * math.pi)
    light: NDArray[np.float64] = 1 + random.uniform(0, 0.5) * (
        math.cos(angle) * x + math.sin(angle) * y
    )
    light = light - random.uniform(0, 0.5) * (x**2 + y**2)
    if random.uniform() < 0.5:
        angle = random.uniform(0, 2 * math.pi)
        inside = math.cos(angle) * x + math.sin(angle) * y - random.uniform(-0.4, 0.4)
        softness = random.uniform(0.01, 0.1)  # of the picture's width
        light = light * (1 - random.uniform(0.1, 0.4) / (1 + np.exp(-inside / softness)))
    return light


def _bytes(values: NDArray[np.float64]) -> Pixels:
    return np.clip(values, 0, 255).astype(np.uint8)


def images(digit: Pixels, seed: tuple[int, int]) -> tuple[Pixels | None, Pixels]:
    """Return the image that `predict` makes of a photo, or ``None``, and the resized one."""
    content = photo(digit, np.random.default_rng(seed))
    pixels = pictures.decode(content, "photo")
    resized = dataset_image.prepare(255 - pixels, MNIST, raw=True, subject="photo")
    try:
        return dataset_image.prepare(pixels, MNIST, raw=False, subject="photo"), resized
    except InputRefusedError:
        return None, resized


def main() -> None:
    """Print the accuracies for each seed, and for all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--photos", type=int, default=1_000, help="test digits for each seed")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    digits, labels = api.load_data("test")
    random = np.random.default_rng(0)
    totals: dict[str, int] = {}
    for seed in range(options.seeds):
        chosen = random.permutation(len(labels))[: options.photos]
        with ProcessPoolExecutor(available_cores()) as pool:
            jobs = [(digits[index], (seed, int(index))) for index in chosen]
            made = list(pool.map(images, *zip(*jobs, strict=True), chunksize=20))
        refused = np.array([prepared is None for prepared, _ in made])
        sets = {
            "as in MNIST": digits[chosen],
            "prepared": np.stack([digits[0] if each is None else each for each, _ in made]),
            "only resized": np.stack([resized for _, resized in made]),
        }
        found = sandbox.inspect(options.model, image_sets=sets).probabilities
        correct = {name: each.argmax(1) == labels[chosen] for name, each in found.items()}
        correct["prepared"] &= ~refused
        print(f"seed {seed}: {refused.sum()} of {len(chosen)} refused", flush=True)
        for name, each in correct.items():
            print(f"  {name:14} {each.mean():7.2%}")
            totals[name] = totals.get(name, 0) + int(each.sum())
    count = options.photos * options.seeds
    print(f"{count:,} photos")
    for name, total in totals.items():
        low, high = stats.wilson_interval(total, count, 0.95)
        print(f"  {name:14} {total / count:7.2%}  ({low:.2%} to {high:.2%} at 95%)")


if __name__ == "__main__":
    main()
