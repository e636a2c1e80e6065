"""Wrong passwords by address, shared by all workers and kept across a restart.

Owns the counting. Never decides how many are too many: `sp.flows.sign_in` does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlmodel import Session

from sp.models import PasswordThrottle
from sp.store.rows import column


def failures(session: Session, address: str, now: datetime, window: timedelta) -> int:
    """How many wrong passwords came from the address in the window that is running."""
    query = select(PasswordThrottle).where(
        column(PasswordThrottle.address) == address, column(PasswordThrottle.window_started_at) > now - window
    )
    row = session.execute(query).scalar_one_or_none()
    return row.failures if row else 0


def count_failure(session: Session, address: str, now: datetime, window: timedelta) -> None:
    ended = column(PasswordThrottle.window_started_at) <= now - window
    session.execute(delete(PasswordThrottle).where(ended))
    row = session.get(PasswordThrottle, address, with_for_update=True)
    if row is None:
        row = PasswordThrottle(address=address, window_started_at=now, failures=0)
    row.failures += 1
    session.add(row)


def forget(session: Session, address: str) -> None:
    session.execute(delete(PasswordThrottle).where(column(PasswordThrottle.address) == address))
