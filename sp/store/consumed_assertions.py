"""The replay record: which assertions were used (Profiles 4.1.4.5), and which may not be used any more.

Owns claiming atomically. Never remembers an assertion that no signature covered: the caller verified it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, delete, exists, select, tuple_
from sqlmodel import Session

from sp.models import ConsumedAssertion, HandedOutAssertion
from sp.saml.messages import HandedOut
from sp.store.claims import index_key, insert_into
from sp.store.rows import Runner, column

Table = ConsumedAssertion

_KEY = (column(Table.realm_id), column(Table.issuer), column(Table.assertion_id))
_WAS_CONSUMED = exists().where(*(part == bindparam(part.key) for part in _KEY))
_Given = HandedOutAssertion
_WAS_HANDED_OUT = (
    column(_Given.realm_id) == bindparam("realm_id"),
    column(_Given.issuer).in_((bindparam("issuer"), "")),
    column(_Given.assertion_key).in_(bindparam("keys", expanding=True)),
)
_FIRST_HANDED_OUT = (
    select(column(_Given.handed_out_at), column(_Given.handed_out_to))
    .where(*_WAS_HANDED_OUT)
    .order_by(column(_Given.handed_out_at))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class EarlierUse:
    """What happened to an assertion before: it was used, or its message was handed out."""

    consumed: bool = False
    handed_out: HandedOut | None = None


UNUSED = EarlierUse()


def claim(
    runner: Runner,
    realm_id: int,
    issuer: str,
    assertion_id: str,
    expires_at: datetime,
    encrypted_keys: Collection[str] = (),
) -> bool:
    """Whether this call is the first to use the assertion. Two calls at once: one gets True.

    One statement for both questions: it adds no row where the message was handed out, known by the assertion's ID or by
    one of `encrypted_keys`.
    """
    connection = runner if isinstance(runner, Connection) else runner.connection()
    values = {**_values(realm_id, issuer, assertion_id, encrypted_keys), "expires_at": expires_at}
    # Without this option the count of an INSERT is -1 on PostgreSQL.
    counted = connection.execute(
        _claiming(connection.dialect.name), values, execution_options={"preserve_rowcount": True}
    )
    return counted.rowcount == 1


@cache
def _claiming(dialect: str) -> Insert:
    """Built once: building a statement costs more than running this one."""
    columns = (*_KEY, column(Table.expires_at))
    unseen = select(*(_given(part) for part in columns)).where(~exists().where(*_WAS_HANDED_OUT))
    return insert_into(Table, dialect).from_select([str(part.key) for part in columns], unseen).on_conflict_do_nothing()


def _given(part: Any) -> Any:
    return bindparam(part.key, type_=part.type).label(part.key)


def earlier_use(
    runner: Runner, realm_id: int, issuer: str, assertion_id: str, encrypted_keys: Collection[str] = ()
) -> EarlierUse:
    """Looks without claiming."""
    values = _values(realm_id, issuer, assertion_id, encrypted_keys)
    consumed = bool(runner.execute(select(_WAS_CONSUMED), values).scalar_one())
    found = None if consumed else runner.execute(_FIRST_HANDED_OUT, values).first()
    return EarlierUse(consumed, None if found is None else HandedOut(*found))


def was_consumed(runner: Runner, realm_id: int, issuer: str, assertion_id: str) -> bool:
    """Whether the assertion was used. Looks without claiming."""
    return bool(runner.execute(select(_WAS_CONSUMED), _values(realm_id, issuer, assertion_id, ())).scalar_one())


def _values(realm_id: int, issuer: str, assertion_id: str, encrypted_keys: Collection[str]) -> dict[str, Any]:
    key = index_key(assertion_id)
    return {
        "realm_id": realm_id,
        "issuer": index_key(issuer),
        "assertion_id": key,
        "keys": [key, *encrypted_keys],
    }


def remove_expired(session: Session, now: datetime, *, at_most: int) -> int:
    """Forget assertions whose time has passed; how many went."""
    expired = select(*_KEY).where(column(Table.expires_at) <= now).limit(at_most)
    found = session.execute(expired).all()
    session.execute(delete(Table).where(tuple_(*_KEY).in_([tuple(row) for row in found])))
    return len(found)
