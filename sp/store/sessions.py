"""Browser sessions of administrators and of users.

Owns opening, finding and ending them. Never sees a token after hashing it: a stolen database opens no session.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlmodel import Session

from sp.models import Administrator, AdministratorSession, User, UserSession, UserStatus
from sp.store.engine import Database
from sp.store.rows import column, required

_TOUCH_EVERY = timedelta(minutes=1)  # so that reading a page does not cost a write each time

Found = tuple[Administrator, AdministratorSession] | tuple[User, UserSession]


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def open_administrator_session(
    session: Session, administrator: Administrator, token: str, now: datetime, lifetime: timedelta
) -> None:
    session.add(
        AdministratorSession(
            token_hash=hash_token(token),
            administrator_id=required(administrator.id),
            created_at=now,
            last_seen_at=now,
            expires_at=now + lifetime,
        )
    )


def open_user_session(session: Session, opened: UserSession) -> None:
    """Keep a session that a flow has filled in, the hash of its token included."""
    session.add(opened)


def find(database: Database, token: str, now: datetime, idle: timedelta) -> Found | None:
    """The person behind a token, unless the session is over, idle for too long, or its user is not active."""
    found = _look_up(database, token, now, idle)
    if found is not None:
        _touch(database, found[1], now)
    return found


def is_open(database: Database, token: str, now: datetime, idle: timedelta) -> bool:
    """Whether `find` would find somebody. Asking does not count as using the session."""
    return _look_up(database, token, now, idle) is not None


def end(session: Session, token: str) -> None:
    """End the session of a token; a browser that had none costs nothing."""
    if not token:
        return
    for table in (UserSession, AdministratorSession):
        session.execute(delete(table).where(column(table.token_hash) == hash_token(token)))


def end_all_of_user(session: Session, user_id: int) -> None:
    session.execute(delete(UserSession).where(column(UserSession.user_id) == user_id))


def end_all_of_administrator(session: Session, administrator_id: int) -> None:
    table = AdministratorSession
    session.execute(delete(table).where(column(table.administrator_id) == administrator_id))


def remove_expired(session: Session, now: datetime, *, at_most: int) -> int:
    """Remove sessions that have ended, of each kind at most so many; how many went."""
    gone = 0
    for table in (UserSession, AdministratorSession):
        ended = select(column(table.id)).where(column(table.expires_at) <= now).limit(at_most)
        found = session.execute(ended).scalars().all()
        session.execute(delete(table).where(column(table.id).in_(found)))
        gone += len(found)
    return gone


def _look_up(database: Database, token: str, now: datetime, idle: timedelta) -> Found | None:
    with database.reading() as session:
        found = _of_user(session, token) or _of_administrator(session, token)
    return found if found is not None and _alive(found, now, idle) else None


def _alive(found: Found, now: datetime, idle: timedelta) -> bool:
    person, session = found
    if isinstance(person, User) and person.status != UserStatus.ACTIVE:
        return False
    return now < session.expires_at and now - session.last_seen_at < idle


def _of_user(session: Session, token: str) -> tuple[User, UserSession] | None:
    query = (
        select(User, UserSession)
        .join(UserSession, column(UserSession.user_id) == User.id)
        .where(column(UserSession.token_hash) == hash_token(token))
    )
    row = session.execute(query).first()
    return None if row is None else (row[0], row[1])


def _of_administrator(session: Session, token: str) -> tuple[Administrator, AdministratorSession] | None:
    query = (
        select(Administrator, AdministratorSession)
        .join(AdministratorSession, column(AdministratorSession.administrator_id) == Administrator.id)
        .where(column(AdministratorSession.token_hash) == hash_token(token))
    )
    row = session.execute(query).first()
    return None if row is None else (row[0], row[1])


def _touch(database: Database, found: UserSession | AdministratorSession, now: datetime) -> None:
    if now - found.last_seen_at < _TOUCH_EVERY:
        return
    table = type(found)
    with database.writing() as session:
        session.execute(update(table).where(column(table.id) == found.id).values(last_seen_at=now))
