"""Numbers, shapes and times as every report shows them."""

from __future__ import annotations

from datetime import datetime

from mnist_tasks.check_records import Shape

ABSENT = "–"
HASH_DIGITS = 16  # the part of a hash that a table shows; `--json` has all 64 digits


def percent(share: float | None, digits: int = 2) -> str:
    """Return a share as a percentage, or a dash."""
    return ABSENT if share is None else f"{share:.{digits}%}"


def probability(value: float) -> str:
    """Return a model's probability, which is never quite 0 or 1.

    >>> probability(0.978), probability(0.99999), probability(0)
    ('97.8%', '> 99.9%', '< 0.1%')
    """
    if value > 0.9995:
        return "> 99.9%"
    return "< 0.1%" if value < 0.0005 else f"{value:.1%}"


def percent_range(ends: tuple[float, float] | None, digits: int = 2) -> str:
    """Return an interval of shares, with one percent sign; or a dash."""
    return ABSENT if ends is None else f"{100 * ends[0]:.{digits}f}–{ends[1]:.{digits}%}"


def level(confidence: float) -> str:
    """Return the confidence of an interval.

    >>> level(0.999)
    '99.9%'
    """
    return f"{100 * confidence:g}%"


def count(value: int | None) -> str:
    """Return a count with thousands separators, or a dash."""
    return ABSENT if value is None else f"{value:,}"


def seconds(value: float, digits: int = 1) -> str:
    """Return a duration in seconds, without the unit.

    >>> seconds(1234.5678)
    '1,234.6'
    """
    return f"{value:,.{digits}f}"


def loss(value: float | None) -> str:
    """Return a loss, or a dash."""
    return ABSENT if value is None else f"{value:,.4f}"


def speed(value: float | None) -> str:
    """Return a number of images per second, or a dash."""
    return ABSENT if value is None else f"{value:,.0f}"


def plural(number: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shape(value: Shape) -> str:
    """Return a layer's shape for one image.

    >>> shape((None, 10))
    '10'
    """
    return " × ".join(str(size) for size in value[1:])


def date_time(text: str) -> str:
    """Return a record's time in words; text that is not ISO 8601 is returned unchanged.

    >>> date_time("2026-11-22T15:15:24+00:00")
    '22 November 2026, 15:15 UTC'
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time.day} {time:%B %Y, %H:%M} {time.tzname() or ''}".rstrip()
