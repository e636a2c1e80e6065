"""The keys of this service: one signs its messages, and each account has one that opens what was encrypted for it.

Makes a key when it is first needed, says which keys open a message and which ones the metadata names, and takes the two
steps of a rollover. A private key leaves this module only to sign or to decrypt.

    begin     the next key is published as upcoming; it decrypts already, and signs nothing yet
    complete  the upcoming key is in use; the old one is published no longer, and still decrypts for `OPENS_AFTERWARDS`

Every call reads the table, so that a rollover holds for other processes from their next request.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlmodel import Session

from sp.models import KeyPurpose, KeyState, ServiceKey
from sp.saml.own_keys import NO_KEYS, DecryptionKeys, OwnKey, PublishedKeys, make_key, read_key
from sp.saml.service_metadata import CACHE_DURATION
from sp.settings import Settings
from sp.store import service_keys
from sp.store.engine import Database

OPENS_AFTERWARDS = timedelta(days=30)  # metadata that an identity provider holds on to for a month is stale by any rule
KNOWN_AFTER = CACHE_DURATION  # by then everybody who reads our metadata has read it again

# Anybody may ask for metadata. A process makes one key at a time, so that many who ask at once do not take every core.
_MAKING = threading.Lock()
_PUBLISHED = (KeyState.ACTIVE, KeyState.UPCOMING)


class NoKeyError(Exception):
    """The database holds no active key of a purpose, which every start makes: somebody removed it."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """Nothing was changed, and why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class ChangedOver:
    """The step was taken. `key` is the new one."""

    key: ServiceKey


def ensure_signing_key(database: Database, settings: Settings, now: datetime) -> None:
    """Make the service's signing key, if there is none."""
    _ensure(database, settings, KeyPurpose.SIGNING, None, now)


def ensure_encryption_key(database: Database, settings: Settings, account_id: int, now: datetime) -> None:
    """Make the account's encryption key, if it has none. Does nothing for an account that was removed meanwhile."""
    _ensure(database, settings, KeyPurpose.ENCRYPTION, account_id, now)


def _ensure(database: Database, settings: Settings, purpose: KeyPurpose, account_id: int | None, now: datetime) -> None:
    if _has_active(database, purpose, account_id):
        return
    with _MAKING:
        if _has_active(database, purpose, account_id):  # another thread made it
            return
        key = new_key(settings, purpose, now)  # 60 to 170 ms, in which no transaction is open
    with database.writing() as session:
        is_there = service_keys.take_lock(session, account_id) or account_id is None
        # Another process may have made one meanwhile: the first one counts.
        if is_there and service_keys.in_state(session, purpose, KeyState.ACTIVE, account_id) is None:
            service_keys.add(session, purpose, KeyState.ACTIVE, key, now, account_id)


def _has_active(database: Database, purpose: KeyPurpose, account_id: int | None) -> bool:
    with database.reading() as session:
        return service_keys.in_state(session, purpose, KeyState.ACTIVE, account_id) is not None


def new_key(settings: Settings, purpose: KeyPurpose, now: datetime) -> OwnKey:
    """A key that is stored nowhere yet. It takes a moment: make it outside of a transaction."""
    return make_key(f"{urlsplit(settings.base_url).hostname} {purpose}", now)


def signing_key(session: Session) -> OwnKey:
    """The key that signs our messages now. Raises NoKeyError."""
    row = service_keys.in_state(session, KeyPurpose.SIGNING, KeyState.ACTIVE)
    if row is None:
        raise NoKeyError("the service has no active signing key")
    return _own_key(row)


def decryption_keys(
    session: Session, account_id: int | None, now: datetime, *, asked_at: datetime | None = None
) -> DecryptionKeys:
    """Every key that may open a message for the account at `now`: active, upcoming, then retired ones and former ones.

    None of another account, and none at all without an account. A key that was made after `now` opens nothing of that
    time: a message that is evaluated again is evaluated with the keys of then.

    `asked_at` is the real time where the caller chose `now`: former keys open nothing once their time is over, since
    other accounts have them too.
    """
    if account_id is None:
        return NO_KEYS
    own = _usable(service_keys.of_purpose(session, KeyPurpose.ENCRYPTION, account_id), now)
    until = service_keys.former_key_until(session, account_id)
    if until is None or max(now, asked_at or now) >= until:
        return DecryptionKeys(own)
    former = _usable(service_keys.of_purpose(session, KeyPurpose.ENCRYPTION), now)
    if now < until - OPENS_AFTERWARDS:  # before the upgrade it was the key of every account
        return DecryptionKeys(own + former)
    return DecryptionKeys(own, former)


def _usable(rows: Sequence[ServiceKey], now: datetime) -> tuple[OwnKey, ...]:
    usable = [row for row in rows if _opens(row, now)]
    return tuple(_own_key(row) for row in sorted(usable, key=lambda row: _is_retired(row, now)))


def published(session: Session, account_id: int | None = None) -> PublishedKeys:
    """The certificates for the metadata: the service's signing keys, and the account's encryption keys.

    Of the encryption keys the newest comes first, since most identity providers take the first one; of the signing
    keys the active one does, since those who take only one need the one that signs.
    """
    encryption = [] if account_id is None else _published(session, KeyPurpose.ENCRYPTION, account_id)
    return PublishedKeys(
        signing=tuple(_published(session, KeyPurpose.SIGNING)),
        encryption=tuple(reversed(encryption)),
    )


def begin_rollover(
    session: Session, purpose: KeyPurpose, key: OwnKey, now: datetime, account_id: int | None = None
) -> ChangedOver | NotNow:
    """Publish `key` as the upcoming one beside the active one. Without an account: of the signing key."""
    service_keys.take_lock(session, account_id)
    if service_keys.in_state(session, purpose, KeyState.UPCOMING, account_id) is not None:
        return NotNow(f"A rollover of the {purpose} key has begun already. Complete it first.")
    return ChangedOver(service_keys.add(session, purpose, KeyState.UPCOMING, key, now, account_id))


def complete_rollover(
    session: Session, purpose: KeyPurpose, now: datetime, account_id: int | None = None, *, early: bool = False
) -> ChangedOver | NotNow:
    """Put the upcoming key in use and retire the active one; `early` does so before `safe_from` too."""
    service_keys.take_lock(session, account_id)
    upcoming = service_keys.in_state(session, purpose, KeyState.UPCOMING, account_id)
    if upcoming is None:
        return NotNow(f"There is no upcoming {purpose} key. Begin a rollover first.")
    if now < safe_from(upcoming) and not early:
        return NotNow(
            f"Identity providers may not know the upcoming {purpose} key yet: they read our metadata once a day. "
            f"It is safe from {safe_from(upcoming):%Y-%m-%d %H:%M} UTC."
        )
    for row in service_keys.of_purpose(session, purpose, account_id):
        if row.state == KeyState.ACTIVE:
            row.state, row.retired_at = KeyState.RETIRED, now
    upcoming.state, upcoming.activated_at = KeyState.ACTIVE, now
    session.flush()
    return ChangedOver(upcoming)


def safe_from(upcoming: ServiceKey) -> datetime:
    """From when an upcoming key can be put in use without a failed message.

    An encryption key at once: until identity providers read of it they use the old one, which still opens. A signing
    key when all of them have read our metadata again; whoever got the certificate by hand needs the new one first.
    """
    signs = upcoming.purpose == KeyPurpose.SIGNING
    return upcoming.created_at + KNOWN_AFTER if signs else upcoming.created_at


def opens_until(row: ServiceKey) -> datetime | None:
    """Until when a retired encryption key opens messages; None for every other key."""
    if row.purpose != KeyPurpose.ENCRYPTION or row.retired_at is None:
        return None
    return row.retired_at + OPENS_AFTERWARDS


def _opens(row: ServiceKey, now: datetime) -> bool:
    until = opens_until(row)
    return row.created_at <= now and (until is None or now < until)


def _is_retired(row: ServiceKey, now: datetime) -> bool:
    return row.retired_at is not None and row.retired_at <= now


def _published(session: Session, purpose: KeyPurpose, account_id: int | None = None) -> list[bytes]:
    rows = service_keys.of_purpose(session, purpose, account_id)
    return [row.certificate for state in _PUBLISHED for row in rows if row.state == state]


def _own_key(row: ServiceKey) -> OwnKey:
    return read_key(row.private_key, row.certificate)
