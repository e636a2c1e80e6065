"""The time by which maintenance removes rows: it follows the wall clock, but not where that jumps ahead.

A clock that is three days ahead for a moment would remove the record of a used assertion, and once it is put right the
assertion would be accepted again. So the time that was reached is kept in the database and moves on by the monotonic
clock. A wall clock that stays ahead of it is believed after 24 hours of running: the service was stopped for a while.
The 24 hours begin anew where the wall clock jumps while the service runs. Until they are over rows are kept longer than
they need be, and nothing else follows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from sp.store import maintenance_clock, sign_in_attempts
from sp.store.engine import Database

_READ_EVERY = 60.0  # seconds; each reading may add the tolerance, so there must not be many
_TOLERANCE = timedelta(seconds=5)
_DRIFT = 0.05  # part of the elapsed time by which two sound clocks may differ; a slewed one differs by 0.0005
_BELIEVED_AFTER = timedelta(hours=24)
_log = structlog.get_logger("sp.maintenance")


class TrustedTime:
    """This process' view of it. Safe to share between threads."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._reached: datetime | None = None
        self._shown: datetime | None = None  # by the wall clock, at the last reading

    def read(self, now: datetime) -> datetime:
        """The trusted time when the wall clock shows `now`: never later than `now`."""
        with self._lock:
            seconds = self._monotonic()
            if self._reached is None or self._read_at is None or seconds - self._read_at >= _READ_EVERY:
                elapsed = timedelta(seconds=0 if self._read_at is None else seconds - self._read_at)
                self._reached = self._advance(now, elapsed)
                self._read_at, self._shown = seconds, now
            return min(self._reached, now)

    def _advance(self, now: datetime, elapsed: timedelta) -> datetime:
        jumped = self._shown is not None and now > _latest(self._shown, elapsed)
        with self._database.writing() as session:
            last = maintenance_clock.read(session) or _last_sign_in(session)
            if last is None:
                reached, unconfirmed = now, timedelta(0)
            else:
                reached, unconfirmed = _next(last, now, elapsed, jumped=jumped)
            maintenance_clock.keep(session, maintenance_clock.Reading(reached, unconfirmed))
        if jumped and reached < now:
            _log.warning("clock_jumped", ahead_seconds=int((now - reached).total_seconds()))
        return reached


def _last_sign_in(session: Session) -> maintenance_clock.Reading | None:
    """The reading that a database of before these readings begins with: its clock may be wrong at the upgrade, too."""
    received_at = sign_in_attempts.newest_received_at(session)
    return None if received_at is None else maintenance_clock.Reading(received_at)


def _latest(before: datetime, elapsed: timedelta) -> datetime:
    """The latest time that a sound clock shows so long after `before`."""
    return before + elapsed * (1 + _DRIFT) + _TOLERANCE


def _next(
    last: maintenance_clock.Reading, now: datetime, elapsed: timedelta, *, jumped: bool
) -> tuple[datetime, timedelta]:
    if now <= _latest(last.reached, elapsed):
        return now, timedelta(0)
    if jumped:
        return last.reached + elapsed, timedelta(0)
    unconfirmed = last.unconfirmed + elapsed
    if unconfirmed >= _BELIEVED_AFTER:
        return now, timedelta(0)
    return last.reached + elapsed, unconfirmed
