"""Owns what time it is: aware UTC, and how a message says so.

Never formats a time for people.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def instant(moment: datetime) -> str:
    """A time as xs:dateTime in UTC (Core 1.3.3), in milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
