"""A project's own files become the same arrays, whatever they come in; what is wrong is named."""

from __future__ import annotations

import gzip
import os
import struct
import sys
import zipfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks.data import arrays, datasets, fetching, idx, loading, locking, sources, store
from mnist_tasks.data.download import RetryPolicy, SilentProgress
from mnist_tasks.data.loading import DataConfig
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, UsageError
from tests import shapes
from tests.server import send, serve

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from mnist_tasks.data.datasets import Dataset

CLASSES = f"classes = {list(shapes.CLASSES)}\n"
IDX = """train = ["train_images", "train_labels"]\ntest = ["test_images", "test_labels"]\n"""
GZIPPED = IDX.replace('s"', 's.gz"')
NPZ = """
train = { npz = "parts.npz", images = "train_images", labels = "train_labels" }
test = { npz = "parts.npz", images = "test_images", labels = "test_labels" }
"""
SILENT = SilentProgress()


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lock(**places: Path | str | bool) -> Dataset:
    own = locking.find("parts")
    policy = RetryPolicy(idle_timeout=20, delays=())
    chosen = sources.choose_own(own.origin, policy=policy, **places)  # type: ignore[arg-type]
    dataset, read = locking.lock(own, chosen, progress=SILENT)
    folder = store.folder_of(dataset, Path("cache"))
    fetching.fetch(folder, [read], progress=SILENT, dataset=dataset)
    return dataset


def save_npz(**changed: object) -> None:
    np.savez("parts.npz", **{**shapes.arrays(), **changed})  # type: ignore[arg-type]


def files(request: BaseHTTPRequestHandler) -> None:
    path = Path("server") / request.path.strip("/")
    if path.is_file():
        send(request, path.read_bytes())
    else:
        send(request, b"", status=404)


def test_every_format_gives_the_same_files() -> None:
    shapes.write_pictures(Path("parts"))
    shapes.write_idx(Path())
    shapes.write_idx(Path("gz"), gzipped=True)
    save_npz(train_labels=shapes.arrays()["train_labels"].astype(np.int64)[:, np.newaxis])
    hashes = set()
    for table in (shapes.FOLDERS, CLASSES + IDX, CLASSES + GZIPPED.replace('"t', '"gz/t'), NPZ):
        shapes.write_project(Path(), table if table != NPZ else CLASSES + NPZ)
        parts = lock()
        hashes.add(tuple(file.sha256 for file in parts.files))
        training = store.load(store.folder_of(parts, Path("cache")), "train", parts)
        assert training.labels[:8].tolist() == [0, 1, 2, 3] * 2
        assert len(np.unique(training.images.sum(axis=(1, 2, 3)))) > 80
        found = store.load(store.folder_of(parts, Path("cache")), "test", parts)
        np.testing.assert_array_equal(found.images, shapes.arrays()["test_images"])
        np.testing.assert_array_equal(found.labels, shapes.arrays()["test_labels"])
        assert found.info.classes == shapes.CLASSES
    assert len(hashes) == 1


def test_gray_images_with_a_channel_lose_it() -> None:
    gray = {name: array[..., :1] for name, array in shapes.arrays().items() if "images" in name}
    save_npz(**gray)
    shapes.write_project(Path(), CLASSES + NPZ)
    assert lock().info.image_shape == (20, 24, 1)


def test_images_of_a_class_are_spread_and_stay_in_their_order() -> None:
    labels = np.repeat(np.array([2, 0, 3], np.uint8), [6, 2, 1])
    images = np.arange(9, dtype=np.uint8).reshape(9, 1, 1)
    mixed_images, mixed_labels = arrays.mixed(images, labels)
    assert mixed_labels.tolist() == [2, 0, 2, 2, 3, 2, 0, 2, 2]
    assert mixed_images.ravel().tolist() == [0, 6, 1, 2, 8, 3, 7, 4, 5]
    again_images, again_labels = arrays.mixed(mixed_images, mixed_labels)
    assert again_images is mixed_images
    assert again_labels is mixed_labels


IMAGES, LABELS = shapes.draw(4)


@pytest.mark.parametrize(
    ("changed", "expected", "found"),
    [
        ({"train_images": IMAGES / 255}, "the arrays train_images", "float64, not whole numbers"),
        ({"train_images": IMAGES.astype(np.int32)}, "uint8", "(16, 20, 24, 3) int32"),
        ({"train_images": np.moveaxis(IMAGES, 3, 1)}, "(n, h, w, 3)", "(16, 3, 20, 24)"),
        ({"train_images": np.zeros((16, 65, 2), "u1")}, "sides up to 64", "(16, 65, 2)"),
        ({"train_images": IMAGES}, "16 labels, one for each image", "labels (96,)"),
        ({"train_images": IMAGES[:0], "train_labels": LABELS[:0]}, "1 to 1,000,000 images", "0"),
        (
            {"train_images": IMAGES, "train_labels": LABELS + 1},
            "labels from 0 to 3, for 4 classes",
            "the label 4 (of image 12)",
        ),
        (
            {"train_images": IMAGES, "train_labels": LABELS.astype(np.int8) - 1},
            "labels from 0 to 3",
            "the label -1 (of image 0)",
        ),
        ({"train_labels": np.array([object()])}, "the arrays", "object, not whole numbers"),
        ({"test_images": shapes.arrays()["test_images"][:, :10]}, "the same size", "(10, 24, 3)"),
    ],
)
def test_arrays_that_are_no_data_set_are_refused(
    changed: dict[str, object], expected: str, found: str
) -> None:
    save_npz(**changed)
    path = shapes.write_project(Path(), CLASSES + NPZ)
    before = path.read_bytes()
    with pytest.raises(InputRefusedError) as caught:
        lock()
    assert caught.value.subject in {
        "parts.npz",
        "pyproject.toml: [tool.mnist-tasks.datasets.parts]",
    }
    assert expected in str(caught.value.expected)
    assert found in caught.value.found
    assert path.read_bytes() == before


def test_an_npz_with_other_arrays_says_which_it_has() -> None:
    np.savez("parts.npz", x_train=IMAGES, y_train=LABELS)
    shapes.write_project(Path(), CLASSES + NPZ)
    with pytest.raises(InputRefusedError, match="x_train, y_train") as caught:
        lock()
    assert caught.value.subject == "parts.npz"


def test_an_array_of_a_negative_size_is_refused_unread() -> None:
    save_npz()
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 20, 24, 3), }".ljust(117)
    with zipfile.ZipFile("parts.npz", "w") as archive:
        content = b"\x93NUMPY\1\0" + struct.pack("<H", len(header) + 1) + header + b"\n"
        archive.writestr("train_images.npy", content + bytes(2 * 20 * 24 * 3))
        archive.writestr("train_labels.npy", b"")
    shapes.write_project(Path(), CLASSES + NPZ)
    with pytest.raises(InputRefusedError, match=r"train_images: the shape \(-1, 20, 24, 3\)"):
        lock()


@pytest.mark.parametrize("name", ["x" * 300, "a\\u0000b"])
def test_a_folder_with_an_impossible_name_is_refused(name: str) -> None:
    shapes.write_project(Path(), f'{CLASSES}train = "{name}"\ntest = "{name}"\n')
    with pytest.raises(InputRefusedError, match=r"too long|null"):
        lock()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("table", [IDX, NPZ])
def test_a_pipe_is_refused_and_not_waited_for(table: str) -> None:
    for name in ("train_images", "train_labels", "test_images", "test_labels", "parts.npz"):
        os.mkfifo(name)
    shapes.write_project(Path(), CLASSES + table)
    with pytest.raises(InputRefusedError, match="a pipe, socket or device"):
        lock()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"<html>", "starts with the bytes 3c 68 74 6d"),
        (b"\0\0\x0d\3", "starts with the bytes"),
        (b"\0\0\x08\3\0\0\0\1", "a truncated header"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**31, 28, 28), "more than 1,073,741,824 bytes"),
        (idx.header((2, 2, 2)) + b"1234567", "7 of the 8 bytes of its shape (2, 2, 2)"),
        (idx.header((2, 2, 2)) + b"123456789", "more than the 8 bytes of its shape"),
        (
            gzip.compress(idx.header((2, 2, 2)) + b"12345678", mtime=0)[:-9],
            "the compressed data ends early",
        ),
    ],
)
def test_a_file_that_is_not_idx_is_named(content: bytes, found: str) -> None:
    shapes.write_idx(Path())
    Path("test_images").write_bytes(content)
    shapes.write_project(Path(), CLASSES + IDX)
    with pytest.raises(InputRefusedError) as caught:
        lock()
    assert caught.value.subject == "test_images"
    assert found in caught.value.found


def test_a_missing_file_is_named() -> None:
    shapes.write_project(Path(), CLASSES + IDX)
    with pytest.raises(InputRefusedError, match="no such file") as caught:
        lock()
    assert caught.value.subject == "train_images"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a"], "a list of 1"),
        (["a", "b\x1b[2J"], "can't be displayed: b?[2J"),
        (["a", "b" * 65], "a name of 65 characters"),
        ([str(number) for number in range(101)], "a list of 101"),
    ],
)
def test_folders_that_are_no_names_of_classes_are_refused(names: list[str], found: str) -> None:
    for split in ("train", "test"):
        for name in names:
            Path("parts", split, name).mkdir(parents=True)
    shapes.write_project(Path())
    with pytest.raises(InputRefusedError) as caught:
        lock()
    assert caught.value.subject == "parts/train"
    assert found in caught.value.found


def test_a_changed_file_is_refused_with_both_hashes() -> None:
    shapes.write_idx(Path())
    shapes.write_project(Path(), CLASSES + IDX)
    parts = lock()
    content = bytearray(Path("test_images").read_bytes())
    content[-1] ^= 1
    Path("test_images").write_bytes(content)
    data = DataConfig(folder=Path("elsewhere"), offline=True, dataset=parts)
    with pytest.raises(InputRefusedError) as caught:
        loading.load("test", data, progress=nullcontext(SILENT))
    assert caught.value.subject == "test_images, test_labels"
    assert caught.value.reason == "data-changed"
    assert parts.test[0].sha256 in str(caught.value.expected)
    assert idx.sha256(idx.read(Path("test_images"))) in caught.value.found
    assert "--lock" in str(caught.value.remedy)
    # What is cached is what was locked.
    cached = replace(data, folder=Path("cache"))
    assert len(loading.load("test", cached, progress=nullcontext(SILENT)).labels) == 32


@pytest.mark.parametrize(("table", "requests"), [(GZIPPED, 4), (NPZ, 1)])
def test_files_are_downloaded_from_the_mirrors_that_have_them(table: str, requests: int) -> None:
    shapes.write_idx(Path("server/right"), gzipped=True)
    save_npz()
    Path("parts.npz").rename("server/right/parts.npz")
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        files(request)

    with serve(answer) as url:
        mirrors = f'mirrors = ["{url}wrong/", "{url}right/"]\n'
        shapes.write_project(Path(), CLASSES + mirrors + table)
        with pytest.raises(InputRefusedError, match="no such file"):
            lock(offline=True)
        parts = lock()
        assert len([path for path in asked if "right" in path]) == requests
        data = DataConfig(folder=Path("new"), dataset=parts)
        found = loading.load("train", data, progress=nullcontext(SILENT))
        assert len(found.labels) == 96
        assert lock(mirror=f"{url}nowhere/") == parts
        shapes.write_project(Path(), CLASSES + mirrors.replace("right", "none") + table)
        with pytest.raises(EnvironmentProblemError, match="404"):
            lock()
    with pytest.raises(UsageError, match="nowhere"):
        lock(mirror="nowhere")


@pytest.mark.parametrize("table", [GZIPPED, NPZ])
def test_a_mirror_with_something_else_is_named_and_the_next_one_used(table: str) -> None:
    shapes.write_idx(Path("server/right"), gzipped=True)
    save_npz()
    Path("parts.npz").rename("server/right/parts.npz")
    with (
        serve(lambda request: send(request, b"<html>Please sign in</html>")) as wrong,
        serve(files) as url,
    ):
        mirrors = f'mirrors = ["{wrong}", "{url}right/"]\n'
        shapes.write_project(Path(), CLASSES + mirrors + table)
        parts = lock()
        data = DataConfig(folder=Path("new"), dataset=parts)
        assert len(loading.load("test", data, progress=nullcontext(SILENT)).labels) == 32
        shapes.write_project(Path(), CLASSES + f'mirrors = ["{wrong}"]\n' + table)
        with pytest.raises(InputRefusedError) as caught:
            lock()
    name = "parts.npz" if table == NPZ else "train_images.gz"
    assert caught.value.subject == f"mirror-1: {name}"


def test_an_array_is_read_in_pieces() -> None:
    stored = np.zeros((3, 1 << 20), np.uint8)
    np.savez("large.npz", stored=stored, packed=stored[:1])
    assert arrays.read_npz(Path("large.npz"), ["stored"])[0].shape == stored.shape


def test_files_can_be_in_another_folder() -> None:
    shapes.write_idx(Path("other"))
    shapes.write_project(Path(), CLASSES + IDX)
    parts = lock(local=Path("other"))
    chosen = sources.choose(datasets.find("parts"), local=Path("other"), offline=True)
    fetched = fetching.fetch(Path("new"), chosen, progress=SILENT, dataset=parts)
    assert {file.source for file in fetched.files} == {"other"}
    with pytest.raises(UsageError, match="npm") as caught:
        sources.choose(parts, name="npm")
    assert caught.value.subject == "--source"
