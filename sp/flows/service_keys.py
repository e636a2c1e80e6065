"""This service's own keys: made at the first start, read at every use, changed over without a gap.

Owns which key signs, which ones open what was encrypted, which ones the metadata names, and the two steps of a
rollover. Never shows a private key: nothing here returns one but to whoever signs or decrypts.

    begin     the next key is published as upcoming; it decrypts already, and signs nothing yet
    complete  the upcoming key is in use; the old one is published no longer, and still decrypts for `OPENS_AFTERWARDS`

Every call reads the table, a handful of rows, so that a rollover holds for other processes from their next request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlmodel import Session

from sp.models import KeyPurpose, KeyState, ServiceKey
from sp.saml.own_keys import OwnKey, PublishedKeys, make_key, read_key
from sp.saml.service_metadata import CACHE_DURATION
from sp.settings import Settings
from sp.store import service_keys
from sp.store.engine import Database

OPENS_AFTERWARDS = timedelta(days=30)  # metadata that an identity provider holds on to for a month is stale by any rule
KNOWN_AFTER = CACHE_DURATION  # by then everybody who reads our metadata has read it again

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


def make_missing(database: Database, settings: Settings, now: datetime) -> None:
    """Make the active key of each purpose that has none. Processes that start at once make them once."""
    with database.reading() as session:
        missing = _missing(session)
    if not missing:
        return
    made = {purpose: new_key(settings, purpose, now) for purpose in missing}  # before anybody waits for the lock
    with database.writing() as session:
        service_keys.take_lock(session)
        for purpose in _missing(session):
            service_keys.add(session, purpose, KeyState.ACTIVE, made[purpose], now)


def new_key(settings: Settings, purpose: KeyPurpose, now: datetime) -> OwnKey:
    """A key that is stored nowhere yet. It takes a moment: make it outside of a transaction."""
    return make_key(f"{urlsplit(settings.base_url).hostname} {purpose}", now)


def signing_key(session: Session) -> OwnKey:
    """The key that signs our messages now. Raises NoKeyError."""
    row = service_keys.in_state(session, KeyPurpose.SIGNING, KeyState.ACTIVE)
    if row is None:
        raise NoKeyError("the service has no active signing key")
    return _own_key(row)


def decryption_keys(session: Session, now: datetime) -> tuple[OwnKey, ...]:
    """Every key that may open a message at `now`: active, upcoming, then retired less than `OPENS_AFTERWARDS` ago.

    One made after `now` opens nothing of that time: a message judged again is judged with the keys of then.
    """
    rows = [row for row in service_keys.of_purpose(session, KeyPurpose.ENCRYPTION) if _opens(row, now)]
    return tuple(_own_key(row) for row in sorted(rows, key=lambda row: _is_retired(row, now)))


def published(session: Session) -> PublishedKeys:
    """The certificates for the metadata.

    Of the encryption keys the newest comes first, since most identity providers take the first one; of the signing
    keys the active one does, since those who take only one need the one that signs.
    """
    return PublishedKeys(
        signing=tuple(_published(session, KeyPurpose.SIGNING)),
        encryption=tuple(reversed(_published(session, KeyPurpose.ENCRYPTION))),
    )


def begin_rollover(session: Session, purpose: KeyPurpose, key: OwnKey, now: datetime) -> ChangedOver | NotNow:
    """Publish `key` as the upcoming one beside the active one."""
    service_keys.take_lock(session)
    if service_keys.in_state(session, purpose, KeyState.UPCOMING) is not None:
        return NotNow(f"A rollover of the {purpose} key has begun already. Complete it first.")
    return ChangedOver(service_keys.add(session, purpose, KeyState.UPCOMING, key, now))


def complete_rollover(
    session: Session, purpose: KeyPurpose, now: datetime, *, early: bool = False
) -> ChangedOver | NotNow:
    """Put the upcoming key in use and retire the active one; `early` does so before `safe_from` too."""
    service_keys.take_lock(session)
    upcoming = service_keys.in_state(session, purpose, KeyState.UPCOMING)
    if upcoming is None:
        return NotNow(f"There is no upcoming {purpose} key. Begin a rollover first.")
    if now < safe_from(upcoming) and not early:
        return NotNow(
            f"Identity providers may not know the upcoming {purpose} key yet: they read our metadata once a day. "
            f"It is safe from {safe_from(upcoming):%Y-%m-%d %H:%M} UTC."
        )
    for row in service_keys.of_purpose(session, purpose):
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


def _published(session: Session, purpose: KeyPurpose) -> list[bytes]:
    rows = service_keys.of_purpose(session, purpose)
    return [row.certificate for state in _PUBLISHED for row in rows if row.state == state]


def _missing(session: Session) -> list[KeyPurpose]:
    return [purpose for purpose in KeyPurpose if service_keys.in_state(session, purpose, KeyState.ACTIVE) is None]


def _own_key(row: ServiceKey) -> OwnKey:
    return read_key(row.private_key, row.certificate)
