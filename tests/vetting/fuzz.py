"""Fuzz vetting: change valid model files at random, thousands of times.

A file may pass or be refused; any other exception is a bug. If a worker hangs or dies (HDF5 is
native code), the same file goes through the real sandbox, which has to refuse it in time.
"""

from __future__ import annotations

import functools
import io
import json
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.static.static_check import vet_bytes
from mnist_tasks.vetting.untrusted_text import RefusedError
from tests.fuzz import is_bug
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Iterator

_EDGES = [b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80"]
_WORDS = ["", "Lambda", "../x", "\x1b[2J"]
_VALUES: list[Any] = [None, True, -1, 0, 2**40, 2**70, 1e308, *_WORDS, [], [1], {}, [[]]]
_HANG = 3.0


@functools.cache
def valid_files() -> dict[str, tuple[str, bytes]]:
    """Return valid files of both formats: a sequential and a branching functional model."""
    call = handmade.call
    branch = handmade.functional(
        [
            call(handmade.input_layer((4,))),
            call(handmade.dense(4, "a"), "input_layer"),
            call(handmade.layer("Add", "add"), "a", "input_layer"),
            call(handmade.dense(10, "b"), "add", training=True),
        ],
        ["input_layer"],
        ["b"],
    )
    training = {"loss": "mse", "metrics": ["accuracy"], "optimizer": None}
    return {
        "sequential h5": ("h5", handmade.write_h5(handmade.small(), training=training)),
        "functional h5": ("h5", handmade.write_h5(branch)),
        "sequential keras": ("keras", handmade.write_keras(handmade.small())),
        "functional keras": ("keras", handmade.write_keras(branch)),
    }


def mutated(dice: random.Random, kind: str, data: bytes) -> bytes:
    """Change the bytes of a file, or those of an archive's member and keep its headers valid."""
    if kind == "h5" or dice.random() < 0.2:
        return _bytes(dice, data)
    items = _members(data)
    name = dice.choice(sorted(items))
    if name.endswith(".json") and dice.random() < 0.8:
        return regrafted(dice, data, name)
    items[name] = _bytes(dice, items[name])
    return handmade.zipped(items.items())


def regrafted(dice: random.Random, data: bytes, name: str = "config.json") -> bytes:
    """Replace values in one of an archive's JSON documents by others."""
    items = _members(data)
    tree = json.loads(items[name])
    for _ in range(dice.randint(1, 3)):
        _graft(dice, tree)
    items[name] = json.dumps(tree).encode()
    return handmade.zipped(items.items())


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _bytes(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice([1, 1, 2, 4, 16])):
        # The headers are at the start of the file.
        limit = dice.choice([200, 2000, len(changed)])
        at = dice.randrange(min(limit, len(changed)) or 1)
        match dice.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                edge = dice.choice(_EDGES)
                changed[at : at + len(edge)] = edge
            case 2:
                length = dice.randrange(64)
                source = dice.randrange(len(changed) or 1)
                changed[at : at + length] = changed[source : source + length]
            case 3:
                length = dice.randrange(64)
                changed[at : at + length] = bytes(length)
            case 4:
                changed[at:at] = dice.randbytes(dice.randrange(1, 9))
            case _:
                del changed[at : at + dice.choice([1, 8, 64, len(changed)])]
        if len(changed) < 16:
            return bytes(data[:9])
    return bytes(changed)


def _graft(dice: random.Random, tree: Any) -> None:
    """Replace one value of a JSON document, anywhere in it."""
    places = list(_places(tree))
    if not places:
        return
    holder, key = dice.choice(places)
    donor, other = dice.choice(places)
    value = dice.choice([*_VALUES, donor[other], donor[other]])
    holder[key] = json.loads(json.dumps(value))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], (dict, list)):
            yield from _places(tree[key])


def case(seed: int) -> tuple[str, bytes]:
    """Return the file of a seed, always the same."""
    dice = random.Random(seed)  # noqa: S311 - a fuzzer has to be reproducible
    kind, data = dice.choice(sorted(valid_files().values()))
    return kind, mutated(dice, kind, data)


def work(first: int, limits: Limits) -> None:
    """Vet file after file; print which is next, so that the parent knows where to resume."""
    from mnist_tasks.vetting.isolation import resources

    resources.limit(limits)
    for seed in range(first, sys.maxsize):
        print("next", seed, flush=True)
        kind, data = case(seed)
        try:
            vet_bytes(data, file_format=kind, limits=limits)
            outcome = "passed"
        except RefusedError as error:
            outcome = "refused" if error.found.isprintable() else "UNPRINTABLE"
        except Exception as error:
            outcome = f"EXCEPTION {type(error).__name__}"
        print(outcome, flush=True)


def confirm(seed: int) -> str:
    """Vet a file that killed a worker or made it hang in the sandbox."""
    kind, data = case(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"case.{kind}"
        path.write_bytes(data)
        try:
            sandbox.vet(path, limits=Limits(vet_seconds=_HANG))
        except InputRefusedError as error:
            return "refused" if error.found.isprintable() else "UNPRINTABLE"
        return "passed"


def run(seconds: float, first: int) -> Counter[str]:
    """Run workers until the time is up, and count their outcomes."""
    import queue
    import threading

    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    seed = first
    while time.monotonic() < end:
        command = [sys.executable, "-m", "tests.vetting.fuzz", str(seed)]
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as worker:
            stream = worker.stdout or io.StringIO()
            reader = threading.Thread(target=_pass_on, args=(stream, lines), daemon=True)
            reader.start()
            ended = ""
            while not ended:
                try:
                    line = lines.get(timeout=2 * _HANG)
                except queue.Empty:
                    ended = "hung"
                    break
                word, _, number = line.partition(" ")
                if not line:
                    ended = "died"
                elif word == "next":
                    seed = int(number)
                    if time.monotonic() > end:
                        ended = "time is up"
                else:
                    counts[line] += 1
                    if is_bug(line):
                        print(f"seed {seed}: {line}", file=sys.stderr)
            worker.kill()
        if ended in {"hung", "died"}:
            print(f"seed {seed}: the worker {ended}", file=sys.stderr)
            counts[f"worker {ended}, sandbox {confirm(seed)}"] += 1
            seed += 1
    return counts


def _pass_on(stream: Any, lines: Any) -> None:
    for line in stream:
        lines.put(line.rstrip())
    lines.put("")


if __name__ == "__main__":
    work(int(sys.argv[1]), Limits())
