"""Times as people read them: how long ago or until, with the exact UTC time beside it.

Owns the words. Never reads the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

# As static/js/time.js counts, so that a page that stays open does not change its mind.
_STEPS = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3_600), ("minute", 60))


@dataclass(frozen=True, slots=True)
class ShownTime:
    """The three texts of the `time` macro."""

    iso: str
    relative: str
    exact: str


def shown_time(moment: datetime, now: datetime) -> ShownTime:
    utc = moment.astimezone(UTC)
    return ShownTime(
        iso=utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        relative=relative(utc, now),
        exact=exact(utc),
    )


def exact(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def relative(moment: datetime, now: datetime) -> str:
    """Such as "2 minutes ago", "in 1 hour" or "just now"."""
    seconds = int((moment - now).total_seconds())
    for name, size in _STEPS:
        if abs(seconds) >= size:
            count = abs(seconds) // size
            words = f"{count} {name}{'' if count == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "just now"
