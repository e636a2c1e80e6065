"""Which rows of the sign-in log and the sign-out log exceed the quota of their account.

Accepted and refused messages of an account have a quota each, and so have all that belong to no account. So nobody's
messages can push another account's out of the log, and what anybody may send never pushes out what was accepted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session

from sp.models import Account, Realm, SignInAttempt, SignOutMessage
from sp.store.rows import column

Log = type[SignInAttempt] | type[SignOutMessage]
_MOST_NEW = 1_000_000


@dataclass(frozen=True, slots=True)
class Ring:
    """The messages that share a quota: of one log, one account (None: of no account) and one outcome."""

    log: Log
    account_id: int | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Quota:
    """How many messages a ring keeps, the newest, and how many bytes of them as they are stored."""

    rows: int
    message_bytes: int


def added_after(session: Session, log: Log, row_id: int) -> dict[Ring, Quota]:
    """How many messages each ring got after an id, and how many bytes of them."""
    # Grouped outside, so that the new rows alone are read, and not the whole of an index that has them in order.
    names = ("account_id", "outcome", "message_bytes")
    new = select(*(column(getattr(log, name)) for name in names)).where(column(log.id) > row_id)
    each = new.order_by(column(log.id)).limit(_MOST_NEW).subquery().c
    query = select(each.account_id, each.outcome, func.count(), func.sum(each.message_bytes))
    found = session.execute(query.group_by(each.account_id, each.outcome))
    return {Ring(log, owner, outcome): Quota(rows, int(size)) for owner, outcome, rows, size in found}


def newest_id(session: Session, log: Log) -> int:
    return session.execute(select(func.max(log.id))).scalar_one() or 0


def totals(session: Session, log: Log) -> dict[Ring, Quota]:
    """How many messages each ring holds, and how many bytes of them. Reads one index, all of it."""
    group = column(log.account_id), column(log.outcome)
    query = select(*group, func.count(), func.sum(column(log.message_bytes))).group_by(*group)
    found = session.execute(query)
    return {Ring(log, owner, outcome): Quota(rows, int(size)) for owner, outcome, rows, size in found}


def accounts_of_workspaces(session: Session) -> frozenset[int]:
    in_one = column(Realm.expires_at).is_not(None)
    query = select(column(Account.id)).join(Realm, column(Realm.id) == Account.realm_id).where(in_one)
    return frozenset(session.execute(query).scalars())


def last_beyond(session: Session, ring: Ring, quota: Quota) -> int | None:
    """The newest id that exceeds the quota; all before it do as well. Reads one index, no message."""
    row_id, size = column(ring.log.id), column(ring.log.message_bytes)
    newest_first = row_id.desc()
    counted: Select[tuple[int, int, int]] = select(
        row_id.label("id"),
        func.row_number().over(order_by=newest_first).label("rows"),
        func.sum(size).over(order_by=newest_first).label("message_bytes"),
    ).where(*_in(ring))
    each = counted.subquery().c
    beyond = or_(each.rows > quota.rows, each.message_bytes > quota.message_bytes)
    last: int | None = session.execute(select(func.max(each.id)).where(beyond)).scalar_one()
    return last


def remove_until(session: Session, ring: Ring, row_id: int, *, at_most: int) -> int:
    """Remove the oldest messages of a ring up to an id; how many went."""
    oldest = select(column(ring.log.id)).where(*_in(ring), column(ring.log.id) <= row_id).order_by(column(ring.log.id))
    ids: Collection[int] = session.execute(oldest.limit(at_most)).scalars().all()
    session.execute(delete(ring.log).where(column(ring.log.id).in_(ids)))
    return len(ids)


def _in(ring: Ring) -> tuple[ColumnElement[bool], ...]:
    owner = column(ring.log.account_id)
    mine = owner.is_(None) if ring.account_id is None else owner == ring.account_id
    return mine, column(ring.log.outcome) == ring.outcome
