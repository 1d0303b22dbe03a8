"""Numbers, shapes and times as every report shows them."""

from __future__ import annotations

from datetime import datetime

from mnist_tasks.check_records import Shape

ABSENT = "–"


def percent(share: float | None, digits: int = 2) -> str:
    """Return a share as a percentage, or a dash."""
    return ABSENT if share is None else f"{share:.{digits}%}"


def percent_range(ends: tuple[float, float]) -> str:
    """Return an interval of shares.

    >>> percent_range((0.9886, 0.9924))
    '98.86% to 99.24%'
    """
    return f"{ends[0]:.2%} to {ends[1]:.2%}"


def count(value: int | None) -> str:
    """Return a count with thousands separators, or a dash."""
    return ABSENT if value is None else f"{value:,}"


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
