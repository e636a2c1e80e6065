"""Signing in with a user name and a password.

Owns throttling and opening the session. Never tells whether the name or the password was wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from sp.flows.passwords import password_matches
from sp.models import Administrator, User, UserSession, UserStatus
from sp.settings import Settings
from sp.store import accounts, administrators, password_throttle, sessions, users
from sp.store.engine import Database
from sp.store.rows import required


class Refusal(StrEnum):
    WRONG = "wrong"
    THROTTLED = "throttled"
    SSO_ONLY = "sso_only"  # the account has "8x8 Username and Password" unticked


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the form carried. `old_token` is the session this browser had, which ends."""

    username: str
    password: str
    address: str
    old_token: str = ""


def sign_in_with_password(
    database: Database, settings: Settings, now: datetime, credentials: Credentials, token: str
) -> Refusal | None:
    """Opens a session under `token` and returns None, or says why not."""
    with database.reading() as session:
        if _throttled(session, settings, now, credentials.address):
            return Refusal.THROTTLED
        person = _find(session, credentials.username)
    if not password_matches(person.password_hash if person else None, credentials.password):
        with database.writing() as session:
            password_throttle.count_failure(session, credentials.address, now, settings.password_window)
        return Refusal.WRONG
    with database.writing() as session:
        return _open(session, settings, now, credentials, person, token)


def _throttled(session: Session, settings: Settings, now: datetime, address: str) -> bool:
    failures = password_throttle.failures(session, address, now, settings.password_window)
    return failures >= settings.password_attempts


def _find(session: Session, username: str) -> Administrator | User | None:
    """Administrators first: a user of the same name must not shadow one."""
    realm = accounts.shared_realm(session)
    return administrators.administrator_named(session, username) or users.user_named(
        session, required(realm.id), username
    )


def _open(
    session: Session,
    settings: Settings,
    now: datetime,
    credentials: Credentials,
    person: Administrator | User | None,
    token: str,
) -> Refusal | None:
    if isinstance(person, User):
        refusal = _user_refusal(session, person)
        if refusal is not None:
            return refusal
        person.last_sign_in_at = now
        session.add(person)
        opened = UserSession(
            user_id=required(person.id),
            account_id=person.account_id,
            method="password",
            created_at=now,
            last_seen_at=now,
            expires_at=now + settings.session_max,
        )
        sessions.open_user_session(session, opened, token)
    elif isinstance(person, Administrator):
        sessions.open_administrator_session(session, person, token, now, settings.session_max)
    sessions.end(session, credentials.old_token)
    password_throttle.forget(session, credentials.address)
    return None


def _user_refusal(session: Session, user: User) -> Refusal | None:
    if user.status != UserStatus.ACTIVE:
        return Refusal.WRONG
    account = accounts.account_by_id(session, user.account_id)
    return None if accounts.settings_in_force(session, account).password_sign_in else Refusal.SSO_ONLY
