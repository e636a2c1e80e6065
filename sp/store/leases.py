"""Leases: what one process at a time may do, and until when.

Owns taking one atomically. Never decides what it is for, or how long it lasts.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, or_
from sqlmodel import Session

from sp.models import Lease
from sp.store.claims import insert_into
from sp.store.rows import column

Table = Lease


def take(session: Session, name: str, holder: str, now: datetime, until: datetime) -> bool:
    """Whether the holder has it until then: it was theirs already, nobody's, or had run out.

    One statement looks and takes, so that of two who ask at once one gets it.
    """
    statement = insert_into(Table, session.get_bind().dialect.name).values(name=name, holder=holder, until=until)
    free = or_(column(Table.holder) == holder, column(Table.until) <= now)
    taken = statement.on_conflict_do_update(
        index_elements=[column(Table.name)], set_={"holder": holder, "until": until}, where=free
    ).returning(column(Table.holder))
    return session.execute(taken).first() is not None


def give_back(session: Session, name: str, holder: str) -> None:
    """Let the next one have it at once; nothing happens when it is somebody else's by now."""
    session.execute(delete(Table).where(column(Table.name) == name, column(Table.holder) == holder))
