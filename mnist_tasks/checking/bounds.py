"""What is asked of the values in a contract: a bound that can't be is refused by its key."""

from __future__ import annotations

from mnist_tasks.errors import UsageError


def require(key: str, value: object, is_possible: bool, expected: str) -> None:
    """Refuse a value that can't be.

    Raises
    ------
    UsageError
        It names the key, what was found and what is possible.
    """
    if not is_possible:
        raise UsageError(key, expected=expected, found=str(value))


def require_share(key: str, value: float | None) -> None:
    """Refuse a lower bound on a share that all models, or none, could keep."""
    rule = "a share from 0 to below 1: 0.95 is 95%"
    require(key, value, value is None or 0 <= value < 1, rule)


def require_count(key: str, value: int | None, most: int) -> None:
    """Refuse a count below 1 or above the most that there may be."""
    require(key, value, value is None or 1 <= value <= most, f"from 1 to {most:,}")
