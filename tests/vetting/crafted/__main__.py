"""``python -m tests.vetting.crafted``: check each crafted file, and print a table for the docs."""

from __future__ import annotations

import resource
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.vetting.crafted import TABLE
from tests.vetting.crafted.trial import try_out

RESULTS = {0: "passed", 1: "contract failed (1)", 3: "refused (3)", 4: "environment (4)"}


def main() -> None:
    kinds: dict[str, list[str]] = defaultdict(list)
    slowest: dict[str, float] = defaultdict(float)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "canary"
        for row in TABLE:
            outcome = try_out(row, Path(folder), canary)
            kinds[row.kind].append(RESULTS[outcome.exit_code])
            slowest[row.kind] = max(slowest[row.kind], outcome.seconds)
            if not outcome.fits(row):
                wrong += 1
                print(f"{row.name}: {outcome}", file=sys.stderr)
        ran = canary.exists()
    print("| kind | files | result | slowest |\n|---|---|---|---|")
    for kind, results in kinds.items():
        counts = ", ".join(f"{results.count(word)} {word}" for word in sorted(set(results)))
        print(f"| {kind} | {len(results)} | {counts} | {slowest[kind]:.1f} s |")
    payloads = "a payload ran" if ran else "no payload ran"
    longest = max(slowest.values())
    # In KiB on Linux: the largest of all children that this process has waited for.
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"| all | {len(TABLE)} | {wrong} not as expected, {payloads} | {longest:.1f} s |")
    print(f"\nThe largest child used {memory:,.0f} MiB.")
    sys.exit(1 if wrong or ran else 0)


main()
