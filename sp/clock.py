"""The time, as a value that is passed in.

Owns the one place where the wall clock is read. Never decides what a time means.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The current time, aware and in UTC."""
    return datetime.now(UTC)
