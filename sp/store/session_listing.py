"""The open sessions of an account as a list: searched, counted, a page at a time.

Owns which sessions are open. Never ends one: `sp.store.sessions` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session

from sp.models import User, UserSession
from sp.store.rows import column, required


@dataclass(frozen=True, slots=True)
class OpenSessions:
    """Whose sessions, and which of them: each of the folded `words` occurs in the user's names or addresses.

    `now` and `idle` say which sessions still open a page; `user_id` narrows to one person.
    """

    account_id: int
    now: datetime
    idle: timedelta
    words: tuple[str, ...] = ()
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some sessions with their users, the newest first. `total` counts every match."""

    rows: tuple[tuple[User, UserSession], ...]
    total: int
    older: bool

    @property
    def last_id(self) -> int:
        """Where the next page begins."""
        return required(self.rows[-1][1].id)


def page(session: Session, wanted: OpenSessions, *, before: int | None, size: int) -> Page:
    """At most `size` sessions that began before the one of the id `before`, or the newest."""
    rows, older = some(session, wanted, before=before, size=size)
    return Page(rows, count(session, wanted), older)


def some(
    session: Session, wanted: OpenSessions, *, before: int | None, size: int
) -> tuple[tuple[tuple[User, UserSession], ...], bool]:
    """The sessions of such a page, and whether there are older ones; nothing is counted."""
    both: Any = select(User, UserSession)
    query = _matching(both, wanted).order_by(column(UserSession.id).desc()).limit(size + 1)
    if before is not None:
        query = query.where(column(UserSession.id) < before)
    found = session.execute(query).all()
    return tuple((row[0], row[1]) for row in found[:size]), len(found) > size


def count(session: Session, wanted: OpenSessions) -> int:
    return int(session.execute(_matching(select(func.count()), wanted)).scalar_one())


def session_of(session: Session, account_id: int, session_id: int) -> tuple[User, UserSession] | None:
    """The session with its user if it belongs to the account, still open or not."""
    query = (
        select(User, UserSession)
        .join(UserSession, column(UserSession.user_id) == User.id)
        .where(column(UserSession.id) == session_id, column(UserSession.account_id) == account_id)
    )
    row = session.execute(query).first()
    return None if row is None else (row[0], row[1])


def _matching(query: Select[Any], wanted: OpenSessions) -> Select[Any]:
    query = (
        query.select_from(UserSession)
        .join(User, column(UserSession.user_id) == User.id)
        .where(
            column(UserSession.account_id) == wanted.account_id,
            column(UserSession.expires_at) > wanted.now,
            column(UserSession.last_seen_at) > wanted.now - wanted.idle,
        )
    )
    for word in wanted.words:
        query = query.where(column(User.search_text).contains(word, autoescape=True))
    return query if wanted.user_id is None else query.where(column(User.id) == wanted.user_id)
