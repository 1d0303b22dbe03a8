"""A folder or file of the user's."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tasks.data import csv_rows, datasets, local
from mnist_tasks.data.local import Local
from mnist_tasks.errors import InputRefusedError
from tests.data.test_sources import Recorder, everything, retrieve


def test_a_folder_is_searched_by_content(small_mnist: Path, tmp_path: Path) -> None:
    for number, path in enumerate(sorted(small_mnist.iterdir())):
        content = path.read_bytes()
        path.unlink()
        name = small_mnist / f"{number}.txt"
        name.write_bytes(gzip.compress(content) if number % 2 else content)
    (small_mnist / "README").write_text("not data")
    (small_mnist / "folder").mkdir()
    assert retrieve(Local(small_mnist), tmp_path / "staging") == everything()


def test_a_single_file_is_a_source(small_mnist: Path, tmp_path: Path) -> None:
    file = datasets.default().test[0]
    candidates = retrieve(Local(small_mnist / file.name), tmp_path / "staging")
    assert candidates == {file.name: file.sha256}


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError, match="no such file") as refused:
        retrieve(Local(tmp_path / "none"), tmp_path / "staging")
    assert refused.value.reason == "file-missing"


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no data")
    with pytest.raises(InputRefusedError, match="a folder without IDX"):
        retrieve(Local(tmp_path), tmp_path / "staging")


def move_to(folder: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for path in folder.iterdir():
        if path.is_file():
            path.rename(target / path.name)


def test_subfolders_are_searched_to_a_depth(small_mnist: Path, tmp_path: Path) -> None:
    # torchvision's layout, then one that is too deep.
    move_to(small_mnist, tmp_path / "root" / "MNIST" / "raw")
    assert retrieve(Local(tmp_path / "root"), tmp_path / "staging") == everything()
    move_to(tmp_path / "root" / "MNIST" / "raw", tmp_path / "deep" / "1" / "2" / "3" / "4" / "5")
    with pytest.raises(InputRefusedError, match="a folder without IDX"):
        retrieve(Local(tmp_path / "deep"), tmp_path / "staging")


def test_many_bad_files_are_counted(tmp_path: Path) -> None:
    for number in range(15):
        (tmp_path / f"{number}.npy").write_bytes(b"\x93NUMPY\x01\x00")
    with pytest.raises(InputRefusedError) as caught:
        retrieve(Local(tmp_path), tmp_path.parent / "staging")
    assert caught.value.found.count("damaged") == 10
    assert caught.value.found.endswith("\n5 more")


def test_a_link_to_its_own_folder_is_followed_once(small_mnist: Path, tmp_path: Path) -> None:
    (small_mnist / "again").symlink_to(small_mnist)
    (small_mnist / datasets.default().train[0].name).unlink()  # so that the search goes on
    seen = Recorder()
    assert len(retrieve(Local(small_mnist), tmp_path / "staging", seen)) == 3
    assert len(seen.notes) == 3


def test_a_folder_with_too_many_files_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(6):
            (tmp_path / name / str(number)).touch()
    monkeypatch.setattr(local, "MOST_FILES", 10)
    with pytest.raises(InputRefusedError, match="more than 10 files; name a smaller folder"):
        retrieve(Local(tmp_path), tmp_path.parent / "staging")


def test_a_pipe_in_a_folder_is_left_alone(small_mnist: Path, tmp_path: Path) -> None:
    os.mkfifo(small_mnist / "0")
    assert retrieve(Local(small_mnist), tmp_path / "staging") == everything()


def test_a_bad_file_does_not_spoil_the_good_ones(small_mnist: Path, tmp_path: Path) -> None:
    (small_mnist / "0.gz").write_bytes(gzip.compress(bytes(1000))[:20])
    (small_mnist / "0.zip").write_bytes(b"PK\x03\x04 and no more")
    (small_mnist / "0.csv").write_text("label,pixel0\n1,2,3\n")
    (small_mnist / "0.npy").write_bytes(b"\x93NUMPY\x01\x00")
    assert retrieve(Local(small_mnist), tmp_path / "staging") == everything()


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="only Linux has such files")
def test_a_file_that_cannot_be_read_does_not_spoil_the_good_ones(
    small_mnist: Path, tmp_path: Path
) -> None:
    (small_mnist / "0").symlink_to("/proc/self/mem")  # not readable at its start, even for root
    (small_mnist / "1").symlink_to("x" * 300)
    assert retrieve(Local(small_mnist), tmp_path / "staging") == everything()
    (small_mnist / datasets.default().train[0].name).unlink()
    with pytest.raises(InputRefusedError, match="0: Input/output error"):
        retrieve(Local(small_mnist), tmp_path / "staging")


def test_a_bad_file_is_named_if_something_is_missing(small_mnist: Path, tmp_path: Path) -> None:
    bad = small_mnist / datasets.default().train[0].name
    bad.with_suffix(".gz").write_bytes(gzip.compress(bad.read_bytes())[:5000])
    bad.unlink()
    with pytest.raises(InputRefusedError, match=r"ubyte\.gz: a damaged or truncated one: "):
        retrieve(Local(small_mnist), tmp_path / "staging")


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_zip_of_files_is_unpacked(small_mnist: Path, tmp_path: Path, suffix: str) -> None:
    compress = gzip.compress if suffix else bytes
    files = {f"data/{p.name}{suffix}": compress(p.read_bytes()) for p in small_mnist.iterdir()}
    path = tmp_path / "archive.zip"
    path.write_bytes(zipped(files))
    assert retrieve(Local(path), tmp_path / "staging") == everything()
    path.write_bytes(zipped({"readme": b"", "inner.zip": path.read_bytes()}))
    assert retrieve(Local(path), tmp_path / "staging") == everything()


def arrays(folder: Path) -> dict[str, NDArray[np.uint8]]:
    return {
        file.array: np.frombuffer((folder / file.name).read_bytes()[len(file.header) :], np.uint8)
        for file in datasets.default().files
    }


def csv(labels: NDArray[np.uint8], images: NDArray[np.uint8], *, header: bool) -> str:
    rows = np.column_stack([labels, images.reshape(len(labels), -1)]).tolist()
    lines = [",".join(map(str, row)) for row in rows]
    names = ",".join(["label", *(f"{i}x{j}" for i in range(1, 29) for j in range(1, 29))])
    return "\n".join([names, *lines] if header else lines) + "\n"


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_rows_are_taken(small_mnist: Path, tmp_path: Path, header: bool, newline: str) -> None:
    data = arrays(small_mnist)
    folder = tmp_path / "kaggle"
    folder.mkdir()
    for split in ("train", "test"):
        text = csv(data[f"y_{split}"], data[f"x_{split}"], header=header)
        (folder / f"mnist_{split}.csv").write_bytes(text.replace("\n", newline).encode())
    assert retrieve(Local(folder), tmp_path / "staging") == everything()
    archive = tmp_path / "archive.zip"
    archive.write_bytes(zipped({path.name: path.read_bytes() for path in folder.iterdir()}))
    assert retrieve(Local(archive), tmp_path / "staging") == everything()


PIXELS = ",".join(f"pixel{number}" for number in range(784))
ROW = ",".join(["0"] * 784)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"label,{PIXELS}\n" + f"5,{ROW}\n" * 100, "100 rows of a label and 784 pixels"),
        (f"label,{PIXELS}\n" + f"5,{ROW}\n" * 600, "more than 512 rows"),
        (f"{PIXELS}\n{ROW}\n", "rows without labels, as in the test.csv of Kaggle's competition"),
        ("label,pixel0,pixel1\n1,2,3\n", "rows of 3 columns"),
        (f"label,{PIXELS}\n5,{ROW},0\n", "from row 1 on: a row that does not have 785 columns"),
        (f"label,{PIXELS}\n" + f"5,{ROW}\n" * 2 + f"x,{ROW}", "from row 3 on: a value that is no"),
        (f"label,{PIXELS}\n256,{ROW}\n", "from row 1 on: a value above 255"),
        (f"label,{PIXELS}\n1.5,{ROW}\n", "a value that is not a whole number from 0 to 255"),
        (f"label,{PIXELS}\n,{ROW}\n", "a value that is not a whole number from 0 to 255"),
        ("label," + "x" * 200_000, "a line of more than 131,072 bytes"),
        (f"label,{PIXELS}\n" + "1" * 1_500_000, "a line of more than 131,072 bytes"),
    ],
)
def test_csv_rows_that_are_not_the_data_are_refused(
    small_mnist: Path, tmp_path: Path, text: str, found: str
) -> None:
    path = tmp_path / "train.csv"
    path.write_text(text)
    with pytest.raises(InputRefusedError) as caught:
        retrieve(Local(path), tmp_path / "staging")
    assert found in caught.value.found


def test_kaggles_competition_is_named() -> None:
    found = csv_rows.describe(42_000, 784, most=60_000)
    assert found.startswith("42,000 rows of a label and 784 pixels, as in Kaggle's competition")
    assert "can't be made from it" in found


def test_arrays_are_recognized_by_shape_and_type(small_mnist: Path, tmp_path: Path) -> None:
    data = arrays(small_mnist)
    path = tmp_path / "data.npz"
    np.savez(path, a=data["x_train"].reshape(512, 784), b=data["y_train"])
    assert retrieve(Local(path), tmp_path / "staging") == {
        file.name: file.sha256 for file in datasets.default().train
    }
    images = data["x_test"].reshape(128, 28, 28)
    np.savez(
        path,
        images=images.astype(np.float32),
        columns=np.asfortranarray(images),
        labels=data["y_test"][:100],
    )
    with pytest.raises(InputRefusedError) as caught:
        retrieve(Local(path), tmp_path / "staging")
    assert "images.npy: an array of float32 with shape (128, 28, 28)" in caught.value.found
    assert "columns.npy: an array of uint8, column by column with shape" in caught.value.found
    assert "labels.npy: an array of uint8 with shape (100,)" in caught.value.found
    assert "(512, 28, 28)" in str(caught.value.expected)
