"""Known vulnerabilities of Keras's model loading, by installed version."""

from __future__ import annotations

from functools import partial
from importlib import metadata

from packaging.version import InvalidVersion, Version

from mnist_tasks.environment.diagnosis import Finding

SAFE = "3.15.1"
# The releases with the fix, one for each branch that has it, and what they fix.
FIXED_IN = {
    ("2.13",): ("CVE-2024-3660",),
    ("3.9",): ("CVE-2025-1550",),
    ("3.11.0",): ("CVE-2025-8747", "CVE-2025-9906"),
    ("3.11.3",): ("CVE-2025-9905", "CVE-2025-49655"),
    ("3.12.0",): ("CVE-2024-55459", "CVE-2025-12058", "CVE-2025-12060", "CVE-2025-12638"),
    ("3.12.1", "3.13.2"): ("CVE-2026-0897", "CVE-2026-1669"),
    ("3.13.2",): ("CVE-2026-1462",),
    ("3.12.4", "3.15.0"): ("CVE-2026-12481",),
}


def affecting(version: Version) -> tuple[str, ...]:
    """Return the identifiers of the advisories that apply to a version of Keras."""
    found: list[str] = []
    for texts, identifiers in FIXED_IN.items():
        fixes = [Version(text) for text in texts]
        same_branch = [fix for fix in fixes if fix.release[:2] == version.release[:2]]
        if version < min(same_branch, default=max(fixes)):
            found += identifiers
    return tuple(found)


def finding() -> Finding | None:
    """Report a Keras with known vulnerabilities; ``None`` if no Keras is installed."""
    try:
        text = metadata.version("keras")
        identifiers = affecting(Version(text))
    except (metadata.PackageNotFoundError, InvalidVersion):
        return None
    facts = {"version": text, "advisories": identifiers}
    make = partial(Finding, topic="TensorFlow", name="Keras", facts=facts)
    if not identifiers:
        return make(found=f"{text}, no known vulnerabilities")
    return make(
        status="warning",
        found=f"{text} has known vulnerabilities: {', '.join(identifiers)}",
        remedy=f'Run `python -m pip install "keras>={SAFE}"`.',
    )
