"""Tidying up what time has ended: sessions, and assertions that every clock refuses by now.

Owns when that is. Never removes an attempt, a user or a version of settings.
"""

from __future__ import annotations

from datetime import datetime

from sp.store import consumed_assertions, sessions
from sp.store.engine import Database


def tidy_up(database: Database, now: datetime) -> None:
    """Two short transactions, so that no sign-in waits long for the one writer of SQLite."""
    with database.writing() as session:
        sessions.remove_expired(session, now)
    with database.writing() as session:
        consumed_assertions.remove_expired(session, now)
