"""``python -m tests.vetting.crafted [TEXT]``: check crafted files, and print a table for the docs.

With a text, only the files that have it in their name.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.vetting.crafted import TABLE, trained
from tests.vetting.crafted.trial import CheckResult, try_out

AT_ONCE = 2
RESULTS = {0: "passed", 1: "contract failed (1)", 3: "refused (3)", 4: "environment (4)"}


def try_alone(number: int, folder: Path) -> tuple[CheckResult, float]:
    """Try a row in a process that has no other children; return the MiB that the largest used."""
    outcome = try_out(TABLE[number], folder, folder / "canary")
    # In KiB on Linux.
    return outcome, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    kinds: dict[str, list[str]] = defaultdict(list)
    slowest: dict[str, float] = defaultdict(float)
    largest: dict[str, float] = defaultdict(float)
    wrong = 0
    text = "".join(sys.argv[1:2])
    chosen = [number for number, row in enumerate(TABLE) if text in row.name]
    if any(TABLE[number].contract for number in chosen):
        trained.use_real_images()
        trained.weights()  # once, for all processes
    with (
        tempfile.TemporaryDirectory() as folder,
        multiprocessing.get_context("fork").Pool(AT_ONCE, maxtasksperchild=1) as pool,
    ):
        tries = pool.starmap(try_alone, [(number, Path(folder)) for number in chosen], 1)
        for row, (outcome, memory) in zip((TABLE[number] for number in chosen), tries, strict=True):
            kinds[row.kind].append(RESULTS[outcome.exit_code])
            slowest[row.kind] = max(slowest[row.kind], outcome.cpu_seconds)
            largest[row.kind] = max(largest[row.kind], memory)
            if not outcome.fits(row):
                wrong += 1
                print(f"{row.name}: {outcome}", file=sys.stderr)
        ran = (Path(folder) / "canary").exists()
    print("| kind | files | result | slowest | largest |\n|---|---|---|---|---|")
    for kind, results in kinds.items():
        counts = ", ".join(f"{results.count(word)} {word}" for word in sorted(set(results)))
        figures = f"{slowest[kind]:.1f} s | {largest[kind]:,.0f} MiB"
        print(f"| {kind} | {len(results)} | {counts} | {figures} |")
    payloads = "a payload ran" if ran else "no payload ran"
    figures = f"{max(slowest.values()):.1f} s | {max(largest.values()):,.0f} MiB"
    print(f"| all | {len(chosen)} | {wrong} not as expected, {payloads} | {figures} |")
    print("\nSlowest: seconds of processor time of the vetting process. Largest: its memory.")
    sys.exit(1 if wrong or ran else 0)


main()
