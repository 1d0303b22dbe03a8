"""Run the fuzzers, each for some seconds: ``python -m tests.fuzz --seconds 60 [NAME]...``.

A fuzzer is a module with ``run(seconds, first)``, which tries inputs from the seed `first` on and
counts their outcomes. An outcome that starts with two capitals, such as ``EXCEPTION KeyError``, is
a bug. A seed always makes the same input.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import random
import sys
import time
import traceback
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FUZZERS = {
    "models": "tests.vetting.fuzz",
    "containers": "tests.data.fuzz",
    "records": "tests.records_fuzz",
}
SLOW = 60.0  # seconds: whatever the input


def repeat(outcome: Callable[[random.Random], str], seconds: float, first: int) -> Counter[str]:
    """Call a function with one seeded source after another, and count what it returns.

    What it raises is a bug, as is a call that takes longer than `SLOW`. Both are reported on
    standard error with the seed.
    """
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    for seed in itertools.count(first):
        start = time.monotonic()
        if start > end:
            break
        try:
            result = outcome(random.Random(seed))  # noqa: S311  # it has to be reproducible
        except Exception as error:
            result = f"EXCEPTION {type(error).__name__}"
            traceback.print_exc()
        if time.monotonic() - start > SLOW:
            result = "SLOW"
        if is_bug(result):
            print(f"seed {seed}: {result}", file=sys.stderr)
        counts[result] += 1
    return counts


def is_bug(outcome: str) -> bool:
    """Whether an outcome is a bug."""
    return outcome[:2].isupper()


def main() -> None:
    """Run the fuzzers that are named, or all; end with 1 if one found a bug."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FUZZERS)}")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each [%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="the first one [%(default)s]")
    options = parser.parse_args()
    if unknown := set(options.names) - FUZZERS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    bugs = 0
    for name in options.names or FUZZERS:
        start = time.monotonic()
        counts = importlib.import_module(FUZZERS[name]).run(options.seconds, options.seed)
        bugs += sum(count for outcome, count in counts.items() if is_bug(outcome))
        print(f"{name}: {counts.total():,} inputs in {time.monotonic() - start:.0f} s")
        for outcome, count in counts.most_common():
            print(f"{count:10,} {outcome}")
    sys.exit(f"{bugs:,} bugs" if bugs else 0)


if __name__ == "__main__":
    main()
