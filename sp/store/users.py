"""User profiles.

Owns finding, creating and changing them, and the keys by which they are listed. Never decides who may: flows do.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlmodel import Session

from sp.models import SignInAttempt, User, UserSession, UserSource, UserStatus
from sp.saml.identity import username_key
from sp.store.rows import Runner, column, required, table_of
from sp.store.together import Transaction

# Enough to tell "one" from "several" without reading the rest.
_TWO = 2
_KEY_CHARACTERS = 128
_SEARCH_CHARACTERS = 600
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # sorts before every sign-in; a NULL would sort differently per database


@dataclass(frozen=True, slots=True)
class Person:
    """A profile as a sign-in needs it. A row as an object costs more than all statements of a sign-in."""

    id: int
    account_id: int
    status: str
    username: str
    federation_id: str
    first_name: str
    last_name: str
    email: str


_PERSON = select(*(column(getattr(User, part.name)) for part in fields(Person)))
_PERSON_NAMED = _PERSON.where(
    column(User.realm_id) == bindparam("realm_id"), column(User.username_key) == bindparam("username_key")
)
_PEOPLE_WITH_FEDERATION_ID = _PERSON.where(
    column(User.account_id) == bindparam("account_id"), column(User.federation_id) == bindparam("federation_id")
).limit(_TWO)
_CREATED_BY_SIGN_INS = select(func.count()).select_from(
    select(column(User.id))
    .where(
        column(User.account_id) == bindparam("account_id"),
        column(User.status).in_(list(UserStatus)),  # all of them: the index of the list begins with it
        column(User.created_at) > bindparam("since"),
        column(User.source) == UserSource.JUST_IN_TIME,
    )
    .limit(bindparam("at_most"))
    .subquery()
)
_TOLD = ("first_name", "last_name", "email")  # what an identity provider may change of a profile
_INSERT = insert(table_of(User))
_UPDATE = update(table_of(User)).where(table_of(User).c.id == bindparam("person_id"))


def person_named(runner: Runner, realm_id: int, username: str) -> Person | None:
    """The owner of a user name in the realm, as `user_named` finds it."""
    found = runner.execute(_PERSON_NAMED, {"realm_id": realm_id, "username_key": username_key(username)}).first()
    return None if found is None else Person(*found)


def people_with_federation_id(runner: Runner, account_id: int, federation_id: str) -> list[Person]:
    """At most two of the account's profiles that carry this Federation ID, tombstones included."""
    wanted = {"account_id": account_id, "federation_id": federation_id}
    return [Person(*row) for row in runner.execute(_PEOPLE_WITH_FEDERATION_ID, wanted)]


def create_signed_in(runner: Runner, realm_id: int, person: Person, now: datetime) -> Person:
    """Store the profile of somebody who signs in for the first time; `person.id` does not count.

    Raises IntegrityError when the user name is taken in the realm.
    """
    values = _values(person) | _derived(person, now)
    values |= {"realm_id": realm_id, "account_id": person.account_id, "created_at": now, "last_sign_in_at": now}
    values |= {"source": UserSource.JUST_IN_TIME, "status": person.status, "password_hash": None}
    made = runner.execute(_INSERT, values)
    return replace(person, id=made.inserted_primary_key[0])  # type: ignore[attr-defined]


def note_sign_in(transaction: Transaction, before: Person, after: Person, now: datetime) -> None:
    """Write down that somebody signed in, and the names and the address where those changed.

    The user name and the Federation ID are an administrator's, who may be changing them at this moment.
    """
    values: dict[str, Any] = {"person_id": before.id, "last_sign_in_at": now, "last_sign_in_key": now}
    if after == before:
        transaction.at_the_end(_UPDATE, values)
        return
    derived = _derived(after, now)
    values |= {name: getattr(after, name) for name in _TOLD}
    values |= {name: derived[name] for name in (*(f"{name}_key" for name in _TOLD), "search_text")}
    transaction.connection.execute(_UPDATE, values)  # now: the next sign-in of the same person begins with these


def user_named(session: Session, realm_id: int, username: str) -> User | None:
    """The owner of a user name in the realm, whatever its account or status, without regard to case."""
    query = select(User).where(column(User.realm_id) == realm_id, column(User.username_key) == username_key(username))
    return session.execute(query).scalar_one_or_none()


def accounts_with_domain(session: Session, realm_id: int, domain: str) -> set[int]:
    """The accounts in which somebody's user name ends in @ and this domain, whatever became of that person."""
    ending = column(User.username_key).endswith(f"@{domain}", autoescape=True)
    query = select(column(User.account_id)).where(column(User.realm_id) == realm_id, ending).distinct()
    return set(session.execute(query).scalars())


def has_active_user(session: Session, account_id: int, *, with_federation_id: bool) -> bool:
    """Whether the account has anybody who may sign in, with a Federation ID where that is what is looked for."""
    query = select(column(User.id)).where(
        column(User.account_id) == account_id, column(User.status) == UserStatus.ACTIVE.value
    )
    if with_federation_id:
        query = query.where(column(User.federation_id) != "")
    return session.execute(query.limit(1)).first() is not None


def created_by_sign_ins(runner: Runner, account_id: int, since: datetime, *, at_most: int) -> int:
    """How many of the account's users sign-ins have created after `since`, deleted ones included, counted so far."""
    wanted = {"account_id": account_id, "since": since, "at_most": at_most}
    return int(runner.execute(_CREATED_BY_SIGN_INS, wanted).scalar_one())


def user_of_account(session: Session, account_id: int, user_id: int, *, lock: bool = False) -> User | None:
    """The profile if it belongs to the account; another account's profiles do not exist here.

    With `lock` nobody else changes it before this transaction ends (SQLite has one writer anyway).
    """
    query = select(User).where(column(User.id) == user_id, column(User.account_id) == account_id)
    if lock:
        query = query.with_for_update()
    return session.execute(query).scalar_one_or_none()


def store_user(session: Session, user: User) -> User:
    """Insert or update, with every derived column. Raises IntegrityError when the user name is taken in the realm."""
    fill_keys(user)
    session.add(user)
    session.flush()
    return user


def remove(session: Session, user: User) -> None:
    """Delete the row and its sessions. The sign-in log keeps its lines, with the username and without the link."""
    user_id = required(user.id)
    session.execute(delete(UserSession).where(column(UserSession.user_id) == user_id))
    mine = update(SignInAttempt).where(column(SignInAttempt.user_id) == user_id)
    session.execute(mine.values(user_id=None), execution_options={"synchronize_session": False})
    session.delete(user)
    session.flush()


def folded(text: str) -> str:
    """The form in which two texts are compared for searching and sorting: as user names are, without case."""
    return username_key(text)


def fill_keys(user: User) -> None:
    """Compute the derived columns; for whoever stores many rows at once."""
    for name, value in _derived(user, user.last_sign_in_at).items():
        setattr(user, name, value)


def _values(person: Person) -> dict[str, Any]:
    """What a person may change, and a sign-in too."""
    names = ("username", "federation_id", "first_name", "last_name", "email")
    return {name: getattr(person, name) for name in names}


def _derived(person: User | Person, last_sign_in_at: datetime | None) -> dict[str, Any]:
    return {
        "username_key": username_key(person.username),
        "first_name_key": folded(person.first_name)[:_KEY_CHARACTERS],
        "last_name_key": folded(person.last_name)[:_KEY_CHARACTERS],
        "email_key": folded(person.email)[:_KEY_CHARACTERS],
        "federation_id_key": folded(person.federation_id)[:_KEY_CHARACTERS],
        "last_sign_in_key": last_sign_in_at or NEVER,
        "search_text": _search_text(person),
    }


def _search_text(user: User | Person) -> str:
    """Each value once, on a line of its own so that no word matches across two of them."""
    values = (user.username, user.first_name, user.last_name, user.email, user.federation_id)
    return "\n".join(dict.fromkeys(folded(value) for value in values if value))[:_SEARCH_CHARACTERS]
