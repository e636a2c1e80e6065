"""This service's own keys, as stored: each with its purpose and its place in a rollover.

Owns reading and writing their rows. Never decides when a key comes into use: `sp.flows.service_keys` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import Session

from sp.models import KeyPurpose, KeyState, Realm, ServiceKey
from sp.saml.own_keys import OwnKey, private_bytes
from sp.settings import SHARED_REALM
from sp.store.rows import column

# Built once: every signature and every response asks for them.
_OF_PURPOSE = (
    select(ServiceKey).where(column(ServiceKey.purpose) == bindparam("purpose")).order_by(column(ServiceKey.id))
)


def of_purpose(session: Session, purpose: KeyPurpose) -> Sequence[ServiceKey]:
    """Every key that was ever made for it, the oldest first."""
    return session.execute(_OF_PURPOSE, {"purpose": purpose}).scalars().all()


def in_state(session: Session, purpose: KeyPurpose, state: KeyState) -> ServiceKey | None:
    """The key in this state, the newest where there are several, as of retired ones."""
    return next((key for key in reversed(of_purpose(session, purpose)) if key.state == state), None)


def add(session: Session, purpose: KeyPurpose, state: KeyState, key: OwnKey, now: datetime) -> ServiceKey:
    row = ServiceKey(
        purpose=purpose,
        state=state,
        certificate=key.certificate,
        private_key=private_bytes(key),
        created_at=now,
        activated_at=now if state is KeyState.ACTIVE else None,
    )
    session.add(row)
    session.flush()
    return row


def take_lock(session: Session) -> None:
    """One change of keys at a time, until the transaction ends: two starts at once would make two active keys.

    SQLite's writer is alone anyway; elsewhere the realm's row stands for the keys that may not be there yet.
    """
    session.execute(select(Realm).where(column(Realm.name) == SHARED_REALM).with_for_update()).first()


def every_key(session: Session) -> Sequence[ServiceKey]:
    """Every key of every purpose and state, the oldest first."""
    return session.execute(select(ServiceKey).order_by(column(ServiceKey.id))).scalars().all()
