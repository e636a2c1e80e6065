"""Tokens for programs: making one, knowing one again, revoking one.

Owns what a token looks like, and what its name and lifetime may be. Never keeps a token: it is told once, to whoever
made it, and only its hash is stored.

A token is 256 random bits, so a plain SHA-256 keeps it secret: there is nothing to guess that a slow hash would slow.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from sp.flows.account_setup import Invalid
from sp.models import Account, ApiToken, TokenScope
from sp.store import api_tokens, realms
from sp.store.api_tokens import KnownToken
from sp.store.engine import Database
from sp.store.rows import required

API = "/api/v1"  # where they are shown
PREFIX = "vo_"  # so that a secret scanner, or whoever finds it in a log, knows what it is
NAME_CHARACTERS = 128
MAX_TOKENS = 100  # of an account
LONGEST_DAYS = 3650

_SHAPE = re.compile(r"vo_[A-Za-z0-9_-]{43}", re.ASCII)
_NOTED_EVERY = timedelta(minutes=1)  # so that a read does not cost a write each time


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token. `token` is told this once."""

    row: ApiToken
    token: str = field(repr=False)  # a value like this may end in a log


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that showed a token which holds: for which account, and what it may do."""

    token_id: int
    token_name: str
    scopes: frozenset[TokenScope]
    account_id: int
    account_slug: str
    expires_at: datetime | None
    token_hash: str = field(repr=False)

    @property
    def may_write(self) -> bool:
        return TokenScope.WRITE in self.scopes

    @property
    def may_fetch_messages(self) -> bool:
        """Whether the program is given the exact bytes of messages."""
        return TokenScope.MESSAGES in self.scopes

    @property
    def scope(self) -> str:
        return stored_scope(self.scopes)

    @property
    def saved_by(self) -> str:
        """How the history names what the program saved."""
        return f"API token {self.token_name}"


def make_token(
    session: Session,
    account: Account,
    name: str,
    *scopes: TokenScope,
    lifetime: timedelta | None,
    created_by: str,
    now: datetime,
) -> MadeToken | Invalid:
    """A token for the account; without a lifetime it holds until it is revoked. The name is unique in the account.

    Without any of `scopes` it may read.
    """
    account_id, name = required(account.id), name.strip()
    errors = {
        "name": _name_fault(session, account_id, name),
        "expires": _lifetime_fault(lifetime),
    }
    if api_tokens.count_of_account(session, account_id) >= MAX_TOKENS:
        errors["name"] = f"An account has at most {MAX_TOKENS} tokens. Revoke one first."
    faults = {field: fault for field, fault in errors.items() if fault}
    if faults:
        return Invalid(faults)
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        account_id=account_id,
        token_hash=hash_token(token),
        name=name,
        scope=stored_scope(scopes),
        created_by=created_by,
        created_at=now,
        expires_at=_end(session, account, lifetime, now),
    )
    return MadeToken(api_tokens.add(session, row), token)


def stored_scope(scopes: Collection[TokenScope]) -> str:
    """The scopes as the database, the API and the command line write them: words separated by spaces (RFC 6749, 3.3).

    Every token may read, so `read` is written only where the token may not write.
    """
    first = TokenScope.WRITE if TokenScope.WRITE in scopes else TokenScope.READ
    return " ".join((first, *((TokenScope.MESSAGES,) if TokenScope.MESSAGES in scopes else ())))


def scopes_in(stored: str) -> frozenset[TokenScope]:
    """What `stored_scope` wrote, with `read`."""
    return frozenset((TokenScope.READ, *(TokenScope(word) for word in stored.split())))


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def is_over(token: ApiToken, now: datetime) -> bool:
    return token.expires_at is not None and token.expires_at <= now


def recognize(database: Database, token: str, now: datetime) -> Caller | None:
    """Who showed this token; None for one that is unknown, revoked, expired or no token at all."""
    if not _SHAPE.fullmatch(token):
        return None
    with database.reading() as session:
        found = api_tokens.known(session, hash_token(token))
    if found is None or _holds_no_more(found, now):
        return None
    if found.last_used_at is None or now - found.last_used_at >= _NOTED_EVERY:
        with database.writing() as session:
            api_tokens.note_use(session, found.id, now)
    return Caller(
        found.id,
        found.name,
        scopes_in(found.scope),
        found.account_id,
        found.account_slug,
        expires_at=found.expires_at,
        token_hash=hash_token(token),
    )


def still_holds(database: Database, caller: Caller, now: datetime) -> bool:
    """Whether the token has neither been revoked nor expired since, nor its workspace ended.

    Asked by its hash: SQLite gives the id of a token that was removed to the next one made.
    """
    with database.reading() as session:
        found = api_tokens.known(session, caller.token_hash)
    return found is not None and found.account_id == caller.account_id and not _holds_no_more(found, now)


def _holds_no_more(token: KnownToken, now: datetime) -> bool:
    return any(end is not None and end <= now for end in (token.expires_at, token.workspace_ends_at))


def _end(session: Session, account: Account, lifetime: timedelta | None, now: datetime) -> datetime | None:
    """A token of a workspace ends with it at the latest."""
    ends = realms.realm_by_id(session, account.realm_id).expires_at, now + lifetime if lifetime else None
    return min((end for end in ends if end is not None), default=None)


def _name_fault(session: Session, account_id: int, name: str) -> str | None:
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        return f"Enter a name of at most {NAME_CHARACTERS} characters, such as what will use the token."
    if api_tokens.named(session, account_id, name):
        return f"There is a token named {name!r} already. Revoke it first, or choose another name."
    return None


def _lifetime_fault(lifetime: timedelta | None) -> str | None:
    if lifetime is None or timedelta() < lifetime <= timedelta(days=LONGEST_DAYS):
        return None
    return f"A token holds for 1 to {LONGEST_DAYS} days, or until it is revoked."
