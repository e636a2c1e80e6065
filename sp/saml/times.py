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


# Any two times have a difference, while a time plus a length may lie beyond the year 9999 and raise OverflowError. So
# only lengths are added here, never a length to a message's time.


def reached(not_on_or_after: datetime, now: datetime, skew: timedelta) -> bool:
    """Whether the first moment that is too late has come, even for a clock that runs `skew` ahead (Core 2.5.1.2)."""
    return now - not_on_or_after >= skew


def in_future(moment: datetime, now: datetime, skew: timedelta) -> bool:
    """Whether `moment` lies ahead of `now` by more than `skew`."""
    return moment - now > skew


def older(moment: datetime, now: datetime, age: timedelta, skew: timedelta) -> bool:
    """Whether `moment` lies back by more than `age`, even for a clock that runs `skew` ahead."""
    return now - moment > age + skew


def written(moment: datetime) -> str:
    """The UTC form of an aware time, to the second or, where there are fractions, to the microsecond."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
