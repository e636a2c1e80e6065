"""The sign-out log: every logout message that reached us.

Owns recording and reading them. Never stores a report: it is computed again from what is kept here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import defer
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session

from sp.models import SignOutMessage
from sp.store.rows import column

Table = SignOutMessage
Scopes = Collection[int | None]


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages, newest first, without their bytes. `older` says whether more follow."""

    messages: tuple[SignOutMessage, ...]
    older: bool


def record(session: Session, message: SignOutMessage) -> None:
    message.message_bytes = len(message.message or b"")
    session.add(message)


def page(session: Session, scopes: Scopes, *, before: int | None, size: int) -> Page:
    """At most `size` messages of these accounts (None: of no account), those before an id, or the newest."""
    query = select(Table).where(_of(scopes)).order_by(column(Table.id).desc()).limit(size + 1)
    if before is not None:
        query = query.where(column(Table.id) < before)
    without = (defer(column(Table.message)), defer(column(Table.expectations)))  # type: ignore[arg-type]
    found = session.execute(query.options(*without)).scalars().all()
    return Page(tuple(found[:size]), len(found) > size)


def message_in(session: Session, scopes: Scopes, reference: str) -> SignOutMessage | None:
    """The message if it belongs to one of these accounts; others do not exist here."""
    found = session.execute(select(Table).where(column(Table.reference) == reference)).scalar_one_or_none()
    return found if found is not None and found.account_id in scopes else None


def newest(session: Session, *, limit: int) -> Sequence[SignOutMessage]:
    """The latest messages of all accounts, newest first."""
    return session.execute(select(Table).order_by(column(Table.id).desc()).limit(limit)).scalars().all()


def old_ones(session: Session, received_before: datetime, *, at_most: int) -> Sequence[int]:
    """The ids of messages that are too old."""
    too_old = column(Table.received_at) < received_before
    return session.execute(select(column(Table.id)).where(too_old).limit(at_most)).scalars().all()


def remove(session: Session, ids: Collection[int]) -> None:
    session.execute(delete(Table).where(column(Table.id).in_(ids)))


def _of(scopes: Scopes) -> ColumnElement[bool]:
    named = [scope for scope in scopes if scope is not None]
    owner = column(Table.account_id)
    return or_(owner.in_(named), owner.is_(None)) if None in scopes else owner.in_(named)
