"""Just-in-time provisioning: from an identity to a user profile.

Owns which profile an identity names and what is written into it. Never sees a message, only what was verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from sp.models import Account, User, UserSource, UserStatus
from sp.saml.messages import AccountHolder, AccountTrust, Identity, UserLink, UserMapping
from sp.settings import Settings
from sp.store import users
from sp.store.rows import required

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Link:
    """Which profile an identity names: `user` is there when `kind` is ONE."""

    kind: UserLink
    user: User | None = None

    def holder(self, *, replayed: bool | None) -> AccountHolder:
        return AccountHolder(replayed=replayed, link=self.kind, status=self.user.status if self.user else None)


def find_link(session: Session, account: Account, trust: AccountTrust, identity: Identity) -> Link:
    if trust.user_mapping is UserMapping.FEDERATION_ID:
        return _by_federation_id(session, account, trust, identity.username)
    return _by_username(session, account, trust, identity.username)


def within_quota(session: Session, settings: Settings, account: Account, link: Link, now: datetime) -> Link:
    """The link, unless a user would have to be created and sign-ins have created enough of them within the hour.

    Whoever holds an identity provider's key, or a test in a loop, would otherwise fill the account (JIT flood). Counted
    and created in one transaction; PostgreSQL may let a few more through that come at the same moment.
    """
    if link.kind is not UserLink.CREATE:
        return link
    many = settings.new_users_per_hour
    full = users.many_created(session, required(account.id), now - _HOUR, many=many)
    return Link(UserLink.FULL) if full else link


def _by_username(session: Session, account: Account, trust: AccountTrust, username: str) -> Link:
    owner = users.user_named(session, account.realm_id, username)
    if owner is not None and owner.account_id == account.id:
        return Link(UserLink.ONE, owner)
    return Link(_creation(owner, trust))


def _by_federation_id(session: Session, account: Account, trust: AccountTrust, value: str) -> Link:
    found = users.users_with_federation_id(session, required(account.id), value)
    if len(found) > 1:
        return Link(UserLink.MANY)
    if found:
        return Link(UserLink.ONE, found[0])
    return Link(_creation(users.user_named(session, account.realm_id, value), trust))


def _creation(owner: User | None, trust: AccountTrust) -> UserLink:
    """Provisioning may create a user only under a name that nobody in the realm owns."""
    if not trust.provisioning:
        return UserLink.NONE
    return UserLink.CREATE if owner is None else UserLink.TAKEN


def provision(
    session: Session, account: Account, trust: AccountTrust, identity: Identity, link: Link, now: datetime
) -> User:
    """The signed-in user: created, or updated with what the identity provider sent.

    The user name stays as first written, and an attribute that was not sent erases nothing. Raises IntegrityError
    when another sign-in created the same user in the meantime.
    """
    user = link.user or _new_user(account, trust, identity, now)
    if trust.provisioning:
        user.first_name = identity.first_name or user.first_name
        user.last_name = identity.last_name or user.last_name
        user.email = identity.email or user.email
    user.last_sign_in_at = now
    return users.store_user(session, user)


def _new_user(account: Account, trust: AccountTrust, identity: Identity, now: datetime) -> User:
    maps_federation_id = trust.user_mapping is UserMapping.FEDERATION_ID
    return User(
        realm_id=account.realm_id,
        account_id=required(account.id),
        username=identity.username,
        federation_id=identity.username if maps_federation_id else "",
        source=UserSource.JUST_IN_TIME,
        status=UserStatus.ACTIVE,
        created_at=now,
    )
