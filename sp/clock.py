"""The time, as a value that is passed in.

Owns the one place where the wall clock is read. Never decides what a time means.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

_FIRST_YEAR, _LAST_YEAR = 1971, 8999

Clock = Callable[[], datetime]


def readable_time(text: str) -> datetime:
    """The time that an ISO 8601 text says, in UTC where it names no zone.

    Raises ValueError for anything else, and for years so far away that no skew could be added to them.
    """
    moment = datetime.fromisoformat(text.strip())
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError("the year is out of reach")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def system_clock() -> datetime:
    """The current time, aware and in UTC."""
    return datetime.now(UTC)
