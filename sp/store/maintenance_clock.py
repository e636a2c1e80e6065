"""The time that maintenance has reached, kept across restarts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session

from sp.models import MaintenanceClock
from sp.store.rows import column

_ONLY_ROW = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """The time reached, and for how long the wall clock has been ahead of it while the service ran."""

    reached: datetime
    unconfirmed: timedelta = timedelta(0)


def read(session: Session) -> Reading | None:
    """The last reading, or None before the first."""
    found = session.execute(
        select(MaintenanceClock).where(column(MaintenanceClock.id) == _ONLY_ROW)
    ).scalar_one_or_none()
    return None if found is None else Reading(found.reached_at, timedelta(seconds=found.unconfirmed_seconds))


def keep(session: Session, reading: Reading) -> None:
    session.merge(
        MaintenanceClock(
            id=_ONLY_ROW,
            reached_at=reading.reached,
            unconfirmed_seconds=int(reading.unconfirmed.total_seconds()),
        )
    )
