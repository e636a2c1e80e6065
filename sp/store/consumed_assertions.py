"""The replay record: which assertions were used (Profiles 4.1.4.5).

Owns claiming atomically. Never remembers an assertion that no signature covered: the caller verified it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, exists, select, tuple_
from sqlmodel import Session

from sp.models import ConsumedAssertion
from sp.store.claims import claim_row, index_key
from sp.store.rows import Runner, column

Table = ConsumedAssertion

_KEY = (column(Table.realm_id), column(Table.issuer), column(Table.assertion_id))
_WAS_CONSUMED = select(exists().where(*(part == bindparam(part.key) for part in _KEY)))


def claim(runner: Runner, realm_id: int, issuer: str, assertion_id: str, expires_at: datetime) -> bool:
    """Whether this call is the first to use the assertion. Two calls at once: one gets True."""
    values = {
        "realm_id": realm_id,
        "issuer": index_key(issuer),
        "assertion_id": index_key(assertion_id),
        "expires_at": expires_at,
    }
    return claim_row(runner, Table, values)


def was_consumed(runner: Runner, realm_id: int, issuer: str, assertion_id: str) -> bool:
    """Looks without claiming, for a message that is refused anyway."""
    key = {"realm_id": realm_id, "issuer": index_key(issuer), "assertion_id": index_key(assertion_id)}
    return bool(runner.execute(_WAS_CONSUMED, key).scalar_one())


def remove_expired(session: Session, now: datetime, *, at_most: int) -> int:
    """Forget assertions whose time has passed; how many went."""
    expired = select(*_KEY).where(column(Table.expires_at) <= now).limit(at_most)
    found = session.execute(expired).all()
    session.execute(delete(Table).where(tuple_(*_KEY).in_([tuple(row) for row in found])))
    return len(found)
