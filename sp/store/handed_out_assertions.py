"""Assertions whose exact message was handed out. `sp.store.consumed_assertions` refuses them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, tuple_
from sqlmodel import Session

from sp.models import HandedOutAssertion
from sp.saml.assertion_keys import AssertionKey
from sp.store.claims import index_key, insert_into
from sp.store.rows import column

Table = HandedOutAssertion

_KEY = (column(Table.realm_id), column(Table.issuer), column(Table.assertion_key))


def count_others(session: Session, realm_id: int, account_id: int | None, keys: Sequence[AssertionKey]) -> int:
    """How many assertions of the account (None: of no account) are remembered, apart from these."""
    owner = column(Table.account_id)
    mine = owner.is_(None) if account_id is None else owner == account_id
    others = select(func.count()).select_from(Table).where(mine)
    if keys:
        others = others.where(~tuple_(*_KEY).in_([(realm_id, *_stored(key)) for key in keys]))
    return int(session.execute(others).scalar_one())


def add(
    session: Session,
    realm_id: int,
    account_id: int | None,
    keys: Sequence[AssertionKey],
    *,
    to: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Remember these. One that was handed out before keeps when and to whom that was, and is remembered for longer."""
    if not keys:
        return
    statement = insert_into(Table, session.get_bind().dialect.name)
    later = {"expires_at": statement.excluded.expires_at}
    longer = statement.excluded.expires_at > column(Table.expires_at)
    rows = [
        {
            "realm_id": realm_id,
            "issuer": issuer,
            "assertion_key": assertion_key,
            "account_id": account_id,
            "handed_out_at": now,
            "handed_out_to": to,
            "expires_at": expires_at,
        }
        for issuer, assertion_key in sorted({_stored(key) for key in keys})
    ]
    statement = statement.values(rows).on_conflict_do_update(index_elements=list(_KEY), set_=later, where=longer)
    session.execute(statement)


def remove_expired(session: Session, now: datetime, *, at_most: int) -> int:
    """Forget those whose time has passed; how many went."""
    expired = select(*_KEY).where(column(Table.expires_at) <= now).limit(at_most)
    found = session.execute(expired).all()
    session.execute(delete(Table).where(tuple_(*_KEY).in_([tuple(row) for row in found])))
    return len(found)


def _stored(key: AssertionKey) -> tuple[str, str]:
    return index_key(key.issuer), index_key(key.id)
