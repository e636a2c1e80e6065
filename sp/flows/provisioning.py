"""Just-in-time provisioning: from an identity to a user profile.

Owns which profile an identity names and what is written into it. Never sees a message, only what was verified.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sp.flows.domains import may_create_username
from sp.models import UserStatus
from sp.saml.messages import AccountHolder, AccountTrust, Identity, UserLink, UserMapping
from sp.settings import Settings
from sp.store import users
from sp.store.rows import Runner
from sp.store.together import Transaction
from sp.store.users import Person

_HOUR = timedelta(hours=1)
_COUNT_HOLDS = timedelta(minutes=1)
_TENTH = 10


@dataclass(frozen=True, slots=True)
class Link:
    """Which profile an identity names. `person` is there when `kind` is ONE; `by_username`: its username led to it."""

    kind: UserLink
    person: Person | None = None
    by_username: bool = False

    def holder(self, *, replayed: bool | None) -> AccountHolder:
        if self.person is None:
            return AccountHolder(replayed=replayed, link=self.kind)
        stored_username = self.person.username if self.by_username else None
        return AccountHolder(replayed, self.kind, self.person.status, stored_username)


@dataclass(frozen=True, slots=True)
class Place:
    """Where profiles are looked for and made: an account, and the realm in which user names are unique."""

    realm_id: int
    account_id: int


def find_link(runner: Runner, place: Place, trust: AccountTrust, identity: Identity) -> Link:
    if trust.user_mapping is UserMapping.FEDERATION_ID:
        return _by_federation_id(runner, place, trust, identity.username)
    return _by_username(runner, place, trust, identity.username)


def within_quota(runner: Runner, settings: Settings, quota: Quota, place: Place, link: Link, now: datetime) -> Link:
    """The link, unless a user would have to be created and sign-ins have created enough of them within the hour.

    Whoever holds an identity provider's key, or a test in a loop, would otherwise fill the account (JIT flood).
    """
    if link.kind is not UserLink.CREATE:
        return link
    return link if quota.takes(runner, settings, place, now) else Link(UserLink.FULL)


class Quota:
    """How many users sign-ins may still create before somebody counts again, by account, as this process knows.

    Counting costs more the more there are, so one count lets in a tenth of what it finds left. Other processes may do
    the same at the same moment, and so let in a few more than the settings say; one alone never does.
    """

    def __init__(self) -> None:
        self._left: dict[int, tuple[int, datetime]] = {}

    def takes(self, runner: Runner, settings: Settings, place: Place, now: datetime) -> bool:
        """Whether one more may be created."""
        left, counted_at = self._left.pop(place.account_id, (0, now))
        if left <= 0 or not counted_at <= now < counted_at + _COUNT_HOLDS:
            many = settings.new_users_per_hour
            created = users.created_by_sign_ins(runner, place.account_id, now - _HOUR, at_most=many)
            if created >= many:
                return False
            left, counted_at = (many - created) // _TENTH + 1, now
        if left > 1:
            self._left[place.account_id] = (left - 1, counted_at)
        return True


def _by_username(runner: Runner, place: Place, trust: AccountTrust, username: str) -> Link:
    owner = users.person_named(runner, place.realm_id, username)
    if owner is not None and owner.account_id == place.account_id:
        return Link(UserLink.ONE, owner, by_username=True)
    return Link(_creation(runner, place, trust, username, owner))


def _by_federation_id(runner: Runner, place: Place, trust: AccountTrust, value: str) -> Link:
    found = users.people_with_federation_id(runner, place.account_id, value)
    if len(found) > 1:
        return Link(UserLink.MANY)
    if found:
        return Link(UserLink.ONE, found[0])
    return Link(_creation(runner, place, trust, value, users.person_named(runner, place.realm_id, value)))


def _creation(runner: Runner, place: Place, trust: AccountTrust, username: str, owner: Person | None) -> UserLink:
    """Whether provisioning may create the user: under a name that is free, in a domain of the account's company.

    The domain is looked up whether or not the name is taken, and the refusal is the same: neither its words nor its
    duration tells one company which users another one has.
    """
    if not trust.provisioning:
        return UserLink.NONE
    may_create = may_create_username(runner, place.account_id, username)
    return UserLink.CREATE if may_create and owner is None else UserLink.UNAVAILABLE


def provision(
    transaction: Transaction, place: Place, trust: AccountTrust, identity: Identity, link: Link, now: datetime
) -> Person:
    """The signed-in user: created, or updated with what the identity provider sent.

    The user name stays as first written, and an attribute that was not sent erases nothing. Raises IntegrityError
    when another sign-in created the same user in the meantime.
    """
    known = link.person or _new_person(place, trust, identity)
    person = _told_by(identity, known) if trust.provisioning else known
    if link.person is None:
        return users.create_signed_in(transaction.connection, place.realm_id, person, now)
    users.note_sign_in(transaction, known, person, now)
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
