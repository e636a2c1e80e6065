"""Just-in-time provisioning: from an identity to a user profile.

Owns which profile an identity names and what is written into it. Never sees a message, only what was verified.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from sp.models import UserStatus
from sp.saml.messages import AccountHolder, AccountTrust, Identity, UserLink, UserMapping
from sp.settings import Settings
from sp.store import users
from sp.store.users import Person

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Link:
    """Which profile an identity names: `person` is there when `kind` is ONE."""

    kind: UserLink
    person: Person | None = None

    def holder(self, *, replayed: bool | None) -> AccountHolder:
        return AccountHolder(replayed=replayed, link=self.kind, status=self.person.status if self.person else None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where profiles are looked for and made: an account, and the realm in which user names are unique."""

    realm_id: int
    account_id: int


def find_link(session: Session, place: Place, trust: AccountTrust, identity: Identity) -> Link:
    if trust.user_mapping is UserMapping.FEDERATION_ID:
        return _by_federation_id(session, place, trust, identity.username)
    return _by_username(session, place, trust, identity.username)


def within_quota(session: Session, settings: Settings, place: Place, link: Link, now: datetime) -> Link:
    """The link, unless a user would have to be created and sign-ins have created enough of them within the hour.

    Whoever holds an identity provider's key, or a test in a loop, would otherwise fill the account (JIT flood). Counted
    and created in one transaction; PostgreSQL may let a few more through that come at the same moment.
    """
    if link.kind is not UserLink.CREATE:
        return link
    many = settings.new_users_per_hour
    full = users.many_created(session, place.account_id, now - _HOUR, many=many)
    return Link(UserLink.FULL) if full else link


def _by_username(session: Session, place: Place, trust: AccountTrust, username: str) -> Link:
    owner = users.person_named(session, place.realm_id, username)
    if owner is not None and owner.account_id == place.account_id:
        return Link(UserLink.ONE, owner)
    return Link(_creation(owner, trust))


def _by_federation_id(session: Session, place: Place, trust: AccountTrust, value: str) -> Link:
    found = users.people_with_federation_id(session, place.account_id, value)
    if len(found) > 1:
        return Link(UserLink.MANY)
    if found:
        return Link(UserLink.ONE, found[0])
    return Link(_creation(users.person_named(session, place.realm_id, value), trust))


def _creation(owner: Person | None, trust: AccountTrust) -> UserLink:
    """Provisioning may create a user only under a name that nobody in the realm owns."""
    if not trust.provisioning:
        return UserLink.NONE
    return UserLink.CREATE if owner is None else UserLink.TAKEN


def provision(
    session: Session, place: Place, trust: AccountTrust, identity: Identity, link: Link, now: datetime
) -> Person:
    """The signed-in user: created, or updated with what the identity provider sent.

    The user name stays as first written, and an attribute that was not sent erases nothing. Raises IntegrityError
    when another sign-in created the same user in the meantime.
    """
    known = link.person or _new_person(place, trust, identity)
    person = _told_by(identity, known) if trust.provisioning else known
    if link.person is None:
        return users.create_signed_in(session, place.realm_id, person, now)
    users.note_sign_in(session, known, person, now)
    return person


def _told_by(identity: Identity, person: Person) -> Person:
    return replace(
        person,
        first_name=identity.first_name or person.first_name,
        last_name=identity.last_name or person.last_name,
        email=identity.email or person.email,
    )


def _new_person(place: Place, trust: AccountTrust, identity: Identity) -> Person:
    maps_federation_id = trust.user_mapping is UserMapping.FEDERATION_ID
    return Person(
        id=0,
        account_id=place.account_id,
        status=UserStatus.ACTIVE,
        username=identity.username,
        federation_id=identity.username if maps_federation_id else "",
        first_name="",
        last_name="",
        email="",
    )
