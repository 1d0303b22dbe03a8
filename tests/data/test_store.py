"""The cache has only complete, verified files."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import disk, locks
from mnist_tasks.data import datasets, fetching, store
from mnist_tasks.data.local import Local
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError
from tests import generated
from tests.data.test_sources import Recorder
from tests.test_locks import holder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mnist_tasks.data.candidates import Candidate
    from mnist_tasks.data.datasets import DataFile
    from mnist_tasks.data.download import Progress


@dataclass
class Failing:
    """A source that can't be reached."""

    name: str = "failing"
    requests: int = 0

    def retrieve(
        self, wanted: Sequence[DataFile], staging: Path, progress: Progress
    ) -> Iterator[Candidate]:
        self.requests += 1
        raise EnvironmentProblemError("http://failing/", found="timed out")
        yield


def leftovers(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {
        file.name for file in datasets.default().files
    }


def test_fetched_files_equal_those_of_the_source(small_mnist: Path, tmp_path: Path) -> None:
    cache = tmp_path / "new" / "cache"
    result = fetching.fetch(cache, [Local(small_mnist)], progress=Recorder())
    assert {file.source for file in result.files} == {str(small_mnist)}
    assert not result.was_cached
    assert leftovers(cache) <= {".lock"}
    for file in datasets.default().files:
        assert (cache / file.name).read_bytes() == (small_mnist / file.name).read_bytes()


def test_a_second_fetch_uses_no_source(small_mnist: Path) -> None:
    source = Failing()
    result = fetching.fetch(small_mnist, [source], progress=Recorder())
    assert result.was_cached
    assert source.requests == 0


def test_the_next_source_is_tried_after_a_failure(small_mnist: Path, tmp_path: Path) -> None:
    seen = Recorder()
    result = fetching.fetch(tmp_path / "cache", [Failing(), Local(small_mnist)], progress=seen)
    assert result.failures == ("http://failing/: timed out",)
    assert any(note.startswith("failing: ") for note in seen.notes)


def test_a_file_with_a_wrong_hash_is_refused_and_the_next_source_tried(
    small_mnist: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    bad = datasets.default().test[0]
    for path in small_mnist.iterdir():
        content = bytearray(path.read_bytes())
        content[-1] ^= path.name == bad.name
        (wrong / path.name).write_bytes(content)
    cache = tmp_path / "cache"
    with pytest.raises(InputRefusedError) as caught:
        fetching.fetch(cache, [Local(wrong)], progress=Recorder())
    assert caught.value.subject == str(wrong)
    assert bad.name in caught.value.found
    assert "fetch --from" not in str(caught.value.remedy)
    assert disk.sha256(wrong / bad.name) in caught.value.found
    assert not (cache / bad.name).exists()
    assert leftovers(cache) <= {".lock"}

    result = fetching.fetch(cache, [Local(wrong), Local(small_mnist)], progress=Recorder())
    sources = {file.name: file.source for file in result.files}
    assert sources[bad.name] == str(small_mnist)
    assert disk.sha256(cache / bad.name) == bad.sha256


@pytest.mark.parametrize(
    "damage", [b"", b"short", b"\0" * 10_000_000], ids=["empty", "short", "zeros"]
)
def test_a_damaged_cache_is_named_and_repaired(
    small_mnist: Path, tmp_path: Path, damage: bytes
) -> None:
    cache = tmp_path / "cache"
    fetching.fetch(cache, [Local(small_mnist)], progress=Recorder())
    broken = cache / datasets.default().files[0].name
    broken.write_bytes(damage)
    with pytest.raises(InputRefusedError) as caught:
        store.load(cache, "train")
    assert caught.value.subject == str(broken)
    assert datasets.default().files[0].sha256 in str(caught.value.expected)
    result = fetching.fetch(cache, [Local(small_mnist)], progress=Recorder())
    assert str(broken) in result.failures[0]
    assert len(store.load(cache, "train").labels) == 512


def test_a_fetch_without_sources_fails_with_a_remedy(small_mnist: Path, tmp_path: Path) -> None:
    assert small_mnist.is_dir()
    with pytest.raises(EnvironmentProblemError) as caught:
        fetching.fetch(tmp_path / "cache", [], progress=Recorder())
    assert "no source was allowed" in caught.value.found
    assert "--from" in str(caught.value.remedy)
    assert "Rerun without --offline" in str(caught.value.remedy)


def test_loaded_images_are_memory_mapped(small_mnist: Path) -> None:
    digits = store.load(small_mnist, "test")
    assert isinstance(digits.images, np.memmap)
    np.testing.assert_array_equal(digits.images, generated.digits(128, seed=1)[0])
    assert len(digits.first(5).labels) == len(digits.first(5).images) == 5
    assert len(digits.first(None).labels) == 128


def test_a_missing_file_is_refused_with_a_remedy(small_mnist: Path) -> None:
    (small_mnist / datasets.default().train[1].name).unlink()
    assert len(store.load(small_mnist, "test").labels) == 128
    with pytest.raises(InputRefusedError, match="no such file") as caught:
        store.load(small_mnist, "train")
    assert "fetch" in str(caught.value.remedy)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_cache_that_cant_be_written(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(code, "the system refuses", str(target))

    # Root may write anywhere, so the refusal is simulated.
    monkeypatch.setattr(disk, "move_in_place", refuse)
    with pytest.raises(EnvironmentProblemError, match="the system refuses") as caught:
        fetching.fetch(tmp_path / "cache", [Local(small_mnist)], progress=Recorder())
    assert "--data-dir" in str(caught.value.remedy)
    assert leftovers(tmp_path / "cache") <= {".lock"}


def test_a_cache_below_a_file_cant_be_written(small_mnist: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblemError, match=r"a file"):
        fetching.fetch(tmp_path / "file" / "cache", [Local(small_mnist)], progress=Recorder())


def test_two_fetches_at_once_share_the_work(small_mnist: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    results: list[fetching.Fetched] = []
    seen = Recorder()

    def second() -> None:
        results.append(fetching.fetch(cache, [Local(small_mnist)], progress=seen))

    thread = threading.Thread(target=second)
    with disk.writable(cache, remedy=""), locks.locked(cache, timeout=1):
        thread.start()
        while not seen.notes:
            thread.join(0.01)
        (note,) = seen.notes
        assert note == f"waiting for {holder(os.getpid())}, which is fetching, too"
        for file in datasets.default().files:
            (cache / file.name).write_bytes((small_mnist / file.name).read_bytes())
    thread.join(10)
    assert results[0].was_cached


def test_the_default_folder_is_the_platforms_cache() -> None:
    assert store.default_folder().parts[-2:] == ("mnist-tasks", "mnist")


@pytest.fixture
def small_fashion(small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with another small data set, of the same shapes, accepted as Fashion-MNIST."""
    dataset = generated.write(tmp_path / "fashion" / "deeper", train=512, test=128)
    files = []
    for file in dataset.files:
        path = tmp_path / "fashion" / "deeper" / file.name
        content = path.read_bytes()[:-1] + b"\x07"
        path.write_bytes(content)
        files.append(replace(file, sha256=disk.sha256(path)))
    fashion = replace(datasets.FASHION_MNIST, train=(files[0], files[1]), test=(files[2], files[3]))
    monkeypatch.setitem(datasets.KNOWN, "fashion-mnist", fashion)
    return tmp_path / "fashion"


@pytest.mark.parametrize("is_cached", [False, True])
def test_another_data_set_is_named(
    small_mnist: Path, small_fashion: Path, tmp_path: Path, is_cached: bool
) -> None:
    cache = small_mnist if is_cached else tmp_path / "cache"
    with pytest.raises(InputRefusedError) as caught:
        fetching.fetch(cache, [Local(small_fashion)], progress=Recorder())
    assert caught.value.subject == str(small_fashion)
    assert caught.value.reason == "other-dataset"
    assert caught.value.found == ("these are Fashion-MNIST's files (use --dataset fashion-mnist)")
    fashion = datasets.find("fashion-mnist")
    fetching.fetch(tmp_path / "new", [Local(small_fashion)], progress=Recorder(), dataset=fashion)
    assert store.load(tmp_path / "new", "train", fashion).info.title == "Fashion-MNIST"


def test_of_two_data_sets_in_a_folder_the_right_one_is_taken(
    small_mnist: Path, small_fashion: Path, tmp_path: Path
) -> None:
    small_mnist.rename(small_fashion / "mnist")  # searched after "deeper"
    result = fetching.fetch(tmp_path / "cache", [Local(small_fashion)], progress=Recorder())
    assert result.failures == ()


def test_a_folder_that_lacks_a_file_is_named(small_mnist: Path, tmp_path: Path) -> None:
    last = datasets.default().test[1]
    (small_mnist / last.name).unlink()
    with pytest.raises(InputRefusedError) as caught:
        fetching.fetch(tmp_path / "cache", [Local(small_mnist)], progress=Recorder())
    assert caught.value.reason == "data-missing"
    assert caught.value.found == f"3 of 4 files; it lacks {last.name}"
    assert "no source was allowed" not in caught.value.found


def test_a_named_folder_with_some_of_the_cached_files_is_no_error(
    small_mnist: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    fetching.fetch(cache, [Local(small_mnist)], progress=Recorder())
    (small_mnist / datasets.default().test[1].name).unlink()
    result = fetching.fetch(cache, [Local(small_mnist)], progress=Recorder())
    assert result.was_cached
    assert result.failures == ()


def test_a_fallback_is_used_if_asked_for(small_mnist: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    sources = [Local(tmp_path / "empty"), Local(small_mnist)]
    result = fetching.fetch(tmp_path / "cache", sources, progress=Recorder())
    assert "empty: a folder without IDX" in result.failures[0]


def test_without_a_source_the_reason_is_the_right_one(small_mnist: Path, tmp_path: Path) -> None:
    own = replace(datasets.default(), mirrors={}, npm=None)
    with pytest.raises(EnvironmentProblemError, match="MNIST has no mirror"):
        fetching.fetch(tmp_path / "cache", [], progress=Recorder(), dataset=own)
    with pytest.raises(EnvironmentProblemError, match="the network is off"):
        fetching.fetch(tmp_path / "cache", [], progress=Recorder())
    fashion = datasets.find("fashion-mnist")
    with pytest.raises(EnvironmentProblemError) as caught:
        fetching.fetch(tmp_path / "cache", [], progress=Recorder(), dataset=fashion)
    assert "fetch --dataset fashion-mnist --from FOLDER" in str(caught.value.remedy)


@pytest.mark.skipif(not hasattr(os, "setuid") or os.geteuid() != 0, reason="becomes another user")
def test_a_user_without_a_home_is_told_what_to_do() -> None:
    script = (
        "import os\n"
        "from mnist_tasks.data import store\n"
        "store.default_folder()\n"  # what it imports may be root's alone
        "os.setuid(54321)\n"
        "for name in ('HOME', 'XDG_CACHE_HOME'):\n"
        "    os.environ.pop(name, None)\n"
        "store.default_folder()\n"
    )
    # The new user couldn't write the coverage.
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=env
    )
    assert done.stderr.splitlines()[-1] == (
        "mnist_tasks.errors.EnvironmentProblemError: the folder of the data files: "
        "neither HOME nor a name of the user"
    )
