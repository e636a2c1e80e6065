"""Signing in with a user name and a password.

Owns throttling and opening the session. Never tells whether the name or the password was wrong.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from sp.flows.passwords import password_matches
from sp.flows.realms import end_in
from sp.models import Administrator, User, UserSession, UserStatus
from sp.saml.identity import username_key
from sp.senders import sender_key
from sp.settings import Settings
from sp.store import accounts, administrators, password_throttle, realms, sessions, users
from sp.store.engine import Database
from sp.store.rows import required

_ALL_USERNAMES = 10  # times what one username may have


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
    with database.writing() as session:  # counted before the password is looked at, taken back when it is right
        if _count(session, settings, now, credentials):
            return Refusal.THROTTLED
    with database.reading() as session:
        person = _find(session, credentials.username)
    if not password_matches(person.password_hash if person else None, credentials.password):
        return Refusal.WRONG
    with database.writing() as session:
        return _open(session, settings, now, credentials, person, token)


def _count(session: Session, settings: Settings, now: datetime, credentials: Credentials) -> bool:
    """Count the attempt; whether there were too many.

    Behind a proxy that is not trusted all people have one address, so the limit holds for one username there. An
    address has ten times as much in all, which bounds a search through many usernames.
    """
    window = settings.password_window
    address, username_there = _counters(credentials)
    if password_throttle.count_attempt(session, address, now, window) > settings.password_attempts * _ALL_USERNAMES:
        return True
    if password_throttle.count_attempt(session, username_there, now, window) <= settings.password_attempts:
        return False
    # No password is looked at, so it is no guess: one person who goes on trying must not use up the address.
    password_throttle.take_back(session, address)
    return True


def _counters(credentials: Credentials) -> tuple[str, str]:
    """What counts for the address, and for this username there, hashed so that its length is bounded."""
    address = sender_key(credentials.address)
    pair = f"{address}\0{username_key(credentials.username)}"
    return address, hashlib.sha256(pair.encode("utf-8", "surrogatepass")).hexdigest()


def _find(session: Session, username: str) -> Administrator | User | None:
    """Administrators first: a user of the same name must not shadow one."""
    if not username.isprintable():
        return None  # PostgreSQL takes no NUL in a text
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
        # Checking the password took a while, and the user may have been deleted meanwhile.
        user = users.user_of_account(session, person.account_id, required(person.id), lock=True)
        refusal = _user_refusal(session, user)
        if user is None or refusal is not None:
            return refusal
        user.last_sign_in_at = now
        users.store_user(session, user)
        opened = UserSession(
            token_hash=sessions.hash_token(token),
            user_id=required(user.id),
            account_id=user.account_id,
            method="password",
            created_at=now,
            last_seen_at=now,
            expires_at=now + settings.session_max,
        )
        sessions.open_user_session(session, opened)
    elif isinstance(person, Administrator):
        ends = end_in(realms.workspace_of_company(session, person.company_id), now + settings.session_max)
        if ends <= now:
            return Refusal.WRONG
        sessions.open_administrator_session(session, person, token, now, ends - now)
    sessions.end(session, credentials.old_token)
    for counter in _counters(credentials):
        password_throttle.take_back(session, counter)
    return None


def _user_refusal(session: Session, user: User | None) -> Refusal | None:
    if user is None or user.status != UserStatus.ACTIVE:
        return Refusal.WRONG
    account = accounts.account_by_id(session, user.account_id)
    if not account.active:
        return Refusal.WRONG
    return None if accounts.settings_in_force(session, account).password_sign_in else Refusal.SSO_ONLY
