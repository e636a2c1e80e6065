"""Tidying up what time has ended: sessions, assertions that every clock refuses by now, and old sign-in attempts.

Owns when that is. Never removes a user or a version of settings.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sp.settings import Settings
from sp.store import consumed_assertions, sessions, sign_in_attempts
from sp.store.engine import Database

_STEP = 200  # attempts in one transaction


def tidy_up(database: Database, settings: Settings, now: datetime) -> None:
    """Short transactions, one after the other, so that no sign-in waits long for the one writer of SQLite."""
    with database.writing() as session:
        sessions.remove_expired(session, now)
    with database.writing() as session:
        consumed_assertions.remove_expired(session, now)
    oldest = now - timedelta(days=settings.attempts_kept_days)
    removed = _STEP
    while removed == _STEP:
        with database.writing() as session:
            removed = sign_in_attempts.remove_old(session, oldest, keep=settings.attempts_kept, at_most=_STEP)
