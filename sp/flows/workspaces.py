"""Workspaces: realms of their own, each with one account, so that tests that run at once do not meet.

Owns making, emptying and ending one, and its clock. Never touches the shared realm: a workspace has
an end.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from sp.flows.account_setup import SEEDED_ACCOUNT, Invalid, is_slug
from sp.flows.api_tokens import make_token
from sp.flows.passwords import generate_password, hash_password
from sp.flows.service_metadata import SIGN_OUT_PATH, metadata_url
from sp.flows.sign_in_started_here import start_url
from sp.models import Realm, TokenScope
from sp.settings import SHARED_REALM, Settings
from sp.store import accounts, administrators, realms, workspace_creations
from sp.store.engine import Database
from sp.store.rows import required

MAX_WORKSPACES = 200
SHORTEST = timedelta(minutes=1)
USUAL = timedelta(hours=1)
LONGEST = timedelta(hours=24)
_STEP = 500  # rows in one transaction, so that no sign-in waits long for the one writer of SQLite
_TRIES = 3
_RATE_WINDOW = timedelta(minutes=1)


class FullError(Exception):
    """There are as many workspaces as there may be."""


class SenderLimitError(Exception):
    """One address has as many workspaces as it may, or made as many within a minute if `too_fast`."""

    def __init__(self, *, too_fast: bool) -> None:
        super().__init__()
        self.too_fast = too_fast


@dataclass(frozen=True, slots=True)
class Sender:
    """An address that makes workspaces without a token: how many may exist, and how many it may make a minute."""

    key: str
    most_workspaces: int
    most_per_minute: int


@dataclass(frozen=True, slots=True)
class Addresses:
    """What an identity provider has to know of a workspace, and where to begin."""

    entity_id: str
    acs_url: str
    metadata_url: str
    sign_out_url: str
    sign_in_url: str


@dataclass(frozen=True, slots=True)
class Made:
    """A new workspace. `password` and `token` are told this once."""

    workspace: Realm
    administrator: str
    password: str = field(repr=False)
    token: str = field(repr=False)


def addresses_of(settings: Settings, name: str) -> Addresses:
    own = settings.in_realm(name)
    return Addresses(
        own.entity_id, own.acs_url, metadata_url(own, name), own.saml_root + SIGN_OUT_PATH, start_url(own, name)
    )


def administrator_of(name: str) -> str:
    """The user name of a workspace's administrator: user names of administrators are unique everywhere."""
    return f"admin@{name}.workspace"


def live_workspace(session: Session, name: str, now: datetime) -> Realm | None:
    """The workspace of that name, unless it is over."""
    found = realms.workspace_named(session, name) if is_slug(name) else None
    return found if found is not None and found.expires_at is not None and now < found.expires_at else None


def make_workspace(
    database: Database, now: datetime, name: str, lifetime: timedelta, *, made_by: str, sender: Sender | None = None
) -> Made | Invalid:
    """A workspace with a company, an account, an administrator and a token that may write.

    Without a name it gets one that nobody guesses by chance. Raises FullError, and SenderLimitError for a `sender`.
    """
    name = name or f"w-{secrets.token_hex(6)}"
    if faults := _faults(name, lifetime):
        return Invalid(faults)
    _clear_away(database, name, now)
    with database.reading() as session:
        _require_room(session, now, sender)  # before a hash is computed, which costs far more than looking
    password = generate_password()
    password_hash = hash_password(password)  # before anybody waits for the lock
    with database.writing() as session:
        realms.lock(session, required(accounts.shared_realm(session).id))  # one at a time: the bound, and the names
        _require_room(session, now, sender)
        if sender is not None:  # also for a name that is taken: the hash was computed for it, too
            workspace_creations.add(session, sender.key, now, forget_until=now - _RATE_WINDOW)
        if _is_taken(session, name):
            return Invalid({"name": f"There is an account or a workspace named {name!r} already. Choose another name."})
        created_from = sender.key if sender else ""
        new = Realm(name=name, created_at=now, expires_at=now + lifetime, created_from=created_from)
        realm = realms.add(session, new)
        company = accounts.add_company(session, realm, _company_of(name), now)
        account = accounts.add_account(session, company, SEEDED_ACCOUNT, name, now)
        administrators.add_administrator(session, company, administrator_of(name), password_hash, now)
        made = make_token(
            session,
            account,
            "workspace",
            TokenScope.WRITE,
            TokenScope.MESSAGES,  # tests look at exact messages, and are the only ones who sign in there
            lifetime=lifetime,
            created_by=made_by,
            now=now,
        )
        if isinstance(made, Invalid):
            return made
    return Made(realm, administrator_of(name), password, made.token)


def _require_room(session: Session, now: datetime, sender: Sender | None) -> None:
    """Raises FullError and SenderLimitError. The sender first: it cannot tell how many others have."""
    if sender is not None:
        if realms.count_workspaces_from(session, sender.key, now) >= sender.most_workspaces:
            raise SenderLimitError(too_fast=False)
        if workspace_creations.count_since(session, sender.key, now - _RATE_WINDOW) >= sender.most_per_minute:
            raise SenderLimitError(too_fast=True)
    if realms.count_workspaces(session, now) >= MAX_WORKSPACES:
        raise FullError


def reset_workspace(database: Database, name: str, now: datetime) -> bool:
    """Take away what happened in a workspace: users, sessions, attempts, settings, its clock. Whether there is one.

    What it is stays: its name, its end, its administrator and its token.
    """
    for _ in range(_TRIES - 1):
        try:
            return _reset(database, name, now)
        except IntegrityError:  # a sign-in was on its way
            continue
    return _reset(database, name, now)


def delete_workspace(database: Database, name: str, now: datetime) -> bool:
    """End it, then remove it with every row; whether there was one."""
    with database.writing() as session:
        found = live_workspace(session, name, now)
        if found is None:
            return False
        found.expires_at = now
        session.add(found)
    _clear_away(database, name, now)
    return True


def set_clock(database: Database, name: str, now: datetime, fixed_time: datetime | None) -> Realm | None:
    """Let the clock of a workspace stand at that time, or go again; None where there is no such workspace."""
    with database.writing() as session:
        found = live_workspace(session, name, now)
        if found is None:
            return None
        found.fixed_time = fixed_time
        session.add(found)
    return found


def remove_part_of_one(database: Database, now: datetime, *, at_most: int) -> bool:
    """Remove so many rows of a workspace that is over; whether there may be more."""
    with database.reading() as session:
        realm_id = realms.one_that_is_over(session, now)
    if realm_id is not None:
        _remove_part(database, realm_id, now, at_most=at_most)
    return realm_id is not None


def _reset(database: Database, name: str, now: datetime) -> bool:
    with database.writing() as session:
        found = live_workspace(session, name, now)
        if found is None:
            return False
        realms.lock(session, required(found.id))
        realms.empty(session, required(found.id))
        found.fixed_time = None
        session.add(found)
    return True


def _clear_away(database: Database, name: str, now: datetime) -> None:
    """The rest of a workspace of that name that is over: tests use the same names again and again."""
    with database.reading() as session:
        found = realms.workspace_named(session, name)
    if found is None or found.expires_at is None or now < found.expires_at:
        return
    while not _remove_part(database, required(found.id), now, at_most=_STEP):
        pass


def _remove_part(database: Database, realm_id: int, now: datetime, *, at_most: int) -> bool:
    """Whether nothing is left. What a sign-in on its way added meanwhile goes in the next round.

    Whether it is over is asked in each transaction: once it is gone, SQLite gives its id to the next one made.
    """
    try:
        with database.writing() as session:
            if not realms.lock_if_over(session, realm_id, now):
                return True
            return realms.remove_some(session, realm_id, at_most=at_most)
    except IntegrityError:
        return False


def _faults(name: str, lifetime: timedelta) -> dict[str, str]:
    faults = {}
    if not is_slug(name) or name == SHARED_REALM:
        faults["name"] = "A name takes lower-case letters, digits and hyphens, at most 64, such as 'job-4711'."
    if not SHORTEST <= lifetime <= LONGEST:
        shortest, longest = (int(limit.total_seconds()) for limit in (SHORTEST, LONGEST))
        faults["lifetime_seconds"] = f"A workspace lasts for {shortest} to {longest} seconds."
    return faults


def _is_taken(session: Session, name: str) -> bool:
    return (
        accounts.account_by_slug(session, name) is not None
        or realms.workspace_named(session, name) is not None
        or accounts.company_named(session, _company_of(name)) is not None
        or administrators.administrator_named(session, administrator_of(name)) is not None
    )


def _company_of(name: str) -> str:
    return f"Workspace {name}"
