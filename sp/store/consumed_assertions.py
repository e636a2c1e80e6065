"""The replay record: which assertions were used (Profiles 4.1.4.5).

Owns claiming atomically. Never remembers an assertion that no signature covered: the caller verified it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import delete, exists, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from sp.models import ConsumedAssertion
from sp.store.rows import column

Table = ConsumedAssertion
_LONGEST_KEY = 1024  # bytes
_CLAIMS = {
    "postgresql": postgresql.insert(Table).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(Table).on_conflict_do_nothing(),
}


def claim(session: Session, realm_id: int, issuer: str, assertion_id: str, expires_at: datetime) -> bool:
    """Whether this call is the first to use the assertion. Two calls at once: one gets True."""
    values = {
        "realm_id": realm_id,
        "issuer": _key(issuer),
        "assertion_id": _key(assertion_id),
        "expires_at": expires_at,
    }
    connection = session.connection()
    # Without this option the count of an INSERT is -1 on PostgreSQL.
    counted = connection.execute(
        _CLAIMS[connection.dialect.name], values, execution_options={"preserve_rowcount": True}
    )
    return counted.rowcount == 1


def was_consumed(session: Session, realm_id: int, issuer: str, assertion_id: str) -> bool:
    """Looks without claiming, for a message that is refused anyway."""
    same = (
        column(Table.realm_id) == realm_id,
        column(Table.issuer) == _key(issuer),
        column(Table.assertion_id) == _key(assertion_id),
    )
    return bool(session.execute(select(exists().where(*same))).scalar_one())


def _key(text: str) -> str:
    """The text, or its digest where it is too long for a row of an index (2704 bytes in PostgreSQL).

    No ID looks like that: an NCName has no colon.
    """
    encoded = text.encode()
    return text if len(encoded) <= _LONGEST_KEY else f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def remove_expired(session: Session, now: datetime, *, at_most: int) -> int:
    """Forget assertions whose time has passed; how many went."""
    key = (column(Table.realm_id), column(Table.issuer), column(Table.assertion_id))
    expired = select(*key).where(column(Table.expires_at) <= now).limit(at_most)
    found = session.execute(expired).all()
    session.execute(delete(Table).where(tuple_(*key).in_([tuple(row) for row in found])))
    return len(found)
