"""The key pairs of this service and of its accounts, as stored: each with its purpose and its state in a rollover.

Never decides when a key comes into use: `sp.flows.service_keys` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import Session

from sp.models import Account, KeyPurpose, KeyState, Realm, ServiceKey
from sp.saml.own_keys import OwnKey, private_bytes
from sp.settings import SHARED_REALM
from sp.store.rows import column

# Built once: every signature and every encrypted response asks for them.
_OF_PURPOSE = (
    select(ServiceKey).where(column(ServiceKey.purpose) == bindparam("purpose")).order_by(column(ServiceKey.id))
)
_OF_NO_ACCOUNT = _OF_PURPOSE.where(column(ServiceKey.account_id).is_(None))
_OF_ACCOUNT = _OF_PURPOSE.where(column(ServiceKey.account_id) == bindparam("account_id"))
_FORMER_KEY_UNTIL = select(column(Account.former_key_until)).where(column(Account.id) == bindparam("account_id"))


def of_purpose(session: Session, purpose: KeyPurpose, account_id: int | None = None) -> Sequence[ServiceKey]:
    """Every key that was ever made for this purpose of the account, or of no account, the oldest first."""
    if account_id is None:
        return session.execute(_OF_NO_ACCOUNT, {"purpose": purpose}).scalars().all()
    return session.execute(_OF_ACCOUNT, {"purpose": purpose, "account_id": account_id}).scalars().all()


def in_state(
    session: Session, purpose: KeyPurpose, state: KeyState, account_id: int | None = None
) -> ServiceKey | None:
    """The key in this state, the newest where there are several, as of retired ones."""
    keys = of_purpose(session, purpose, account_id)
    return next((key for key in reversed(keys) if key.state == state), None)


def former_key_until(session: Session, account_id: int) -> datetime | None:
    """Until when the former shared keys open the account's messages; None for an account that never used them."""
    return session.execute(_FORMER_KEY_UNTIL, {"account_id": account_id}).scalar_one_or_none()


def with_accounts(session: Session) -> list[tuple[ServiceKey, str | None]]:
    """Every key with the slug of its account: first those of no account, then account by account."""
    query = (
        select(ServiceKey, column(Account.slug))
        .outerjoin(Account, column(Account.id) == ServiceKey.account_id)
        .order_by(column(Account.slug).is_not(None), column(Account.slug), column(ServiceKey.id))
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def add(
    session: Session,
    purpose: KeyPurpose,
    state: KeyState,
    key: OwnKey,
    now: datetime,
    account_id: int | None = None,
) -> ServiceKey:
    row = ServiceKey(
        account_id=account_id,
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


def take_lock(session: Session, account_id: int | None = None) -> bool:
    """Serialize changes of an account's keys, or of the service's, until the transaction ends; whether it is there.

    Two processes that start at once would otherwise make two active keys. SQLite has one writer anyway. An account's
    lock is FOR NO KEY UPDATE, which does not block sign-ins that insert rows of the account.
    """
    if account_id is None:
        query = select(column(Realm.id)).where(column(Realm.name) == SHARED_REALM).with_for_update()
    else:
        query = select(column(Account.id)).where(column(Account.id) == account_id).with_for_update(key_share=True)
    return session.execute(query).first() is not None


def every_key(session: Session) -> Sequence[ServiceKey]:
    """Every key of every purpose and state, the oldest first."""
    return session.execute(select(ServiceKey).order_by(column(ServiceKey.id))).scalars().all()
