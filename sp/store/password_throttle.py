"""Password attempts by address, shared by all workers and kept across a restart.

Owns the counting. Never decides how many are too many: `sp.flows.sign_in` does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session

from sp.models import PasswordThrottle
from sp.store.claims import insert_into
from sp.store.rows import column

Table = PasswordThrottle


def count_attempt(session: Session, address: str, now: datetime, window: timedelta) -> int:
    """Count one more attempt from the address and return how many there are in the window that is running.

    Counting and reading are one statement, so that attempts sent at once cannot all read the same low number.
    """
    session.execute(delete(Table).where(column(Table.window_started_at) <= now - window))
    statement = insert_into(Table, session.get_bind().dialect.name).values(
        address=address, window_started_at=now, failures=1
    )
    counted = statement.on_conflict_do_update(
        index_elements=[column(Table.address)], set_={"failures": column(Table.failures) + 1}
    ).returning(column(Table.failures))
    return int(session.execute(counted).scalar_one())


def take_back(session: Session, address: str) -> None:
    """Uncount one attempt, the right one. The wrong ones stay: a valid password must not buy more guesses."""
    query = update(Table).where(column(Table.address) == address).values(failures=column(Table.failures) - 1)
    session.execute(query)
