"""Browser sessions of administrators and of users.

Owns opening, finding and ending them. Never sees a token after hashing it: a stolen database opens no session.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlmodel import Session

from sp.models import Administrator, AdministratorSession, User, UserSession, UserStatus
from sp.store.engine import Database
from sp.store.rows import Runner, column, required, table_of
from sp.store.together import Transaction

_INDEX_CHARACTERS = 1024
_CUT = "… sha256:"
_TOUCH_EVERY = timedelta(minutes=1)  # so that reading a page does not cost a write each time

_INSERT = insert(table_of(UserSession)).inline()
_END = tuple(
    delete(table_of(table)).where(table_of(table).c.token_hash == bindparam("ended"))
    for table in (UserSession, AdministratorSession)
)

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


def kept_index(session_index: str) -> str:
    """A SessionIndex as a session keeps it: whole, or, where it is longer than the column, recognizable.

    Two long ones that begin alike stay two (AUT-10); what was cut is never sent to anybody, see `is_whole`.
    """
    if len(session_index) <= _INDEX_CHARACTERS:
        return session_index
    digest = hashlib.sha256(session_index.encode()).hexdigest()
    return f"{session_index[: _INDEX_CHARACTERS - len(_CUT) - len(digest)]}{_CUT}{digest}"


def is_whole(kept: str) -> bool:
    """Whether `kept_index` left a SessionIndex as it came."""
    return len(kept) < _INDEX_CHARACTERS or _CUT not in kept


class NewUserSession(TypedDict):
    """The columns of `UserSession`, but its id."""

    token_hash: str
    user_id: int
    account_id: int
    method: str
    attempt_reference: str
    issuer: str
    name_id: str
    name_id_format: str
    name_qualifier: str
    sp_name_qualifier: str
    session_index: str
    authn_context: str
    attributes: dict[str, list[str]]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


def open_user_session(session: Session, opened: UserSession) -> None:
    """Keep a session that a flow has filled in, the hash of its token included."""
    session.add(opened)


def open_verified_session(transaction: Transaction, opened: NewUserSession) -> None:
    """As `open_user_session`, as a statement: the session as an object would cost a sign-in more."""
    transaction.at_the_end(_INSERT, dict(opened))


def find(database: Database, token: str, now: datetime, idle: timedelta) -> Found | None:
    """The person behind a token, unless the session is over, idle for too long, or its user is not active."""
    found = _look_up(database, token, now, idle)
    if found is not None:
        _touch(database, found[1], now)
    return found


def is_open(database: Database, token: str, now: datetime, idle: timedelta) -> bool:
    """Whether `find` would find somebody. Asking does not count as using the session."""
    return _look_up(database, token, now, idle) is not None


def end(runner: Runner, token: str) -> None:
    """End the session of a token; a browser that had none costs nothing."""
    if not token:
        return
    for statement in _END:
        runner.execute(statement, {"ended": hash_token(token)})


def end_at_last(transaction: Transaction, token: str) -> None:
    """As `end`, after all that the transaction does with users: whoever disables one locks him first, too."""
    if not token:
        return
    for statement in _END:
        transaction.at_the_end(statement, {"ended": hash_token(token)}, last=True)


def session_of_token(session: Session, token: str) -> UserSession | None:
    """The user's session that a token stands for, over or not; None for anybody else's token."""
    same = column(UserSession.token_hash) == hash_token(token)
    return session.execute(select(UserSession).where(same)).scalar_one_or_none() if token else None


def of_name(
    session: Session, account_id: int, issuer: str, name_id: str, user_id: int | None = None
) -> Sequence[UserSession]:
    """The sessions that assertions of this issuer about this name opened, whatever its qualifiers, or for this user."""
    table = UserSession
    same = column(table.account_id) == account_id, column(table.issuer) == issuer
    named = or_(column(table.name_id) == name_id, column(table.user_id) == user_id)
    return session.execute(select(table).where(*same, named)).scalars().all()


def end_these(session: Session, ids: Iterable[int]) -> int:
    """How many sessions of these ids there were to end."""
    ended = session.execute(delete(UserSession).where(column(UserSession.id).in_(list(ids))))
    return int(ended.rowcount)  # type: ignore[attr-defined]


def end_all_of_account(session: Session, account_id: int) -> int:
    """How many sessions of the account's users there were to end."""
    ended = session.execute(delete(UserSession).where(column(UserSession.account_id) == account_id))
    return int(ended.rowcount)  # type: ignore[attr-defined]


def end_all_of_user(session: Session, user_id: int) -> int:
    """How many sessions of the user there were to end."""
    ended = session.execute(delete(UserSession).where(column(UserSession.user_id) == user_id))
    return int(ended.rowcount)  # type: ignore[attr-defined]


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
