"""Times as SAML writes them, and how they compare with the clock that is passed in.

Owns the reading of xs:dateTime in its UTC form and the allowed skew. Never reads a clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

UTC_FORM = "a UTC time like 2030-01-31T12:00:00Z"

# Later versions of Python take 24:00 for the next day.
_UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)


def instant(text: str | None) -> datetime | None:
    """The time that `text` names, or None unless it is UTC and written with "Z" (Core 1.3.3).

    Fractions of a second are kept to the microsecond. Offsets, 24:00, leap seconds and the year 0000 are None.
    """
    if text is None or _UTC_TIME.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


# The skew moves the clock and never the message's time: a time near the year 9999 plus three minutes overflows.


def reached(not_on_or_after: datetime, now: datetime, skew: timedelta) -> bool:
    """Whether the first moment that is too late has come, even for a clock that runs `skew` ahead (Core 2.5.1.2)."""
    return now - skew >= not_on_or_after


def in_future(moment: datetime, now: datetime, skew: timedelta) -> bool:
    """Whether `moment` lies ahead by more than `skew`."""
    return moment > now + skew


def written(moment: datetime) -> str:
    """The UTC form of an aware time, to the second or, where there are fractions, to the microsecond."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
