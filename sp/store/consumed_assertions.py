"""The replay record: which assertions were used (Profiles 4.1.4.5).

Owns claiming atomically. Never remembers an assertion that no signature covered: the caller verified it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from sp.models import ConsumedAssertion
from sp.store.rows import column

Table = ConsumedAssertion
_CLAIMS = {
    "postgresql": postgresql.insert(Table).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(Table).on_conflict_do_nothing(),
}


def claim(session: Session, realm_id: int, issuer: str, assertion_id: str, expires_at: datetime) -> bool:
    """Whether this call is the first to use the assertion. Two calls at once: one gets True."""
    values = {"realm_id": realm_id, "issuer": issuer, "assertion_id": assertion_id, "expires_at": expires_at}
    connection = session.connection()
    return connection.execute(_CLAIMS[connection.dialect.name], values).rowcount == 1


def was_consumed(session: Session, realm_id: int, issuer: str, assertion_id: str) -> bool:
    """Looks without claiming, for a message that is refused anyway."""
    same = (
        column(Table.realm_id) == realm_id,
        column(Table.issuer) == issuer,
        column(Table.assertion_id) == assertion_id,
    )
    return bool(session.execute(select(exists().where(*same))).scalar_one())


def remove_expired(session: Session, now: datetime) -> None:
    session.execute(delete(Table).where(column(Table.expires_at) <= now))
