"""User profiles.

Owns finding, creating and changing them, and the keys by which they are listed. Never decides who may: flows do.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlmodel import Session

from sp.models import User, UserSource, UserStatus
from sp.saml.identity import username_key
from sp.store.rows import column

# Enough to tell "one" from "several" without reading the rest.
_TWO = 2
_KEY_CHARACTERS = 128
_SEARCH_CHARACTERS = 600
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # sorts before every sign-in; a NULL would sort differently per database


def user_named(session: Session, realm_id: int, username: str) -> User | None:
    """The owner of a user name in the realm, whatever its account or status, without regard to case."""
    query = select(User).where(column(User.realm_id) == realm_id, column(User.username_key) == username_key(username))
    return session.execute(query).scalar_one_or_none()


def accounts_with_domain(session: Session, realm_id: int, domain: str) -> set[int]:
    """The accounts in which somebody's user name ends in @ and this domain, whatever became of that person."""
    ending = column(User.username_key).endswith(f"@{domain}", autoescape=True)
    query = select(column(User.account_id)).where(column(User.realm_id) == realm_id, ending).distinct()
    return set(session.execute(query).scalars())


def users_with_federation_id(session: Session, account_id: int, federation_id: str) -> list[User]:
    """At most two of the account's profiles that carry this Federation ID, tombstones included."""
    query = (
        select(User)
        .where(column(User.account_id) == account_id, column(User.federation_id) == federation_id)
        .limit(_TWO)
    )
    return list(session.execute(query).scalars())


def has_active_user(session: Session, account_id: int, *, with_federation_id: bool) -> bool:
    """Whether the account has anybody who may sign in, with a Federation ID where that is what is looked for."""
    query = select(column(User.id)).where(
        column(User.account_id) == account_id, column(User.status) == UserStatus.ACTIVE.value
    )
    if with_federation_id:
        query = query.where(column(User.federation_id) != "")
    return session.execute(query.limit(1)).first() is not None


def many_created(session: Session, account_id: int, since: datetime, *, many: int) -> bool:
    """Whether sign-ins have created at least so many of the account's users after `since`, deleted ones included."""
    newest = (
        select(column(User.id))
        .where(
            column(User.account_id) == account_id,
            column(User.status).in_(list(UserStatus)),  # all of them: the index of the list begins with it
            column(User.created_at) > since,
            column(User.source) == UserSource.JUST_IN_TIME,
        )
        .limit(many)
    )
    return int(session.execute(select(func.count()).select_from(newest.subquery())).scalar_one()) >= many


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


def folded(text: str) -> str:
    """The form in which two texts are compared for searching and sorting: as user names are, without case."""
    return username_key(text)


def fill_keys(user: User) -> None:
    """Compute the derived columns; for whoever stores many rows at once."""
    user.username_key = username_key(user.username)
    user.first_name_key = folded(user.first_name)[:_KEY_CHARACTERS]
    user.last_name_key = folded(user.last_name)[:_KEY_CHARACTERS]
    user.email_key = folded(user.email)[:_KEY_CHARACTERS]
    user.federation_id_key = folded(user.federation_id)[:_KEY_CHARACTERS]
    user.last_sign_in_key = user.last_sign_in_at or NEVER
    user.search_text = _search_text(user)


def _search_text(user: User) -> str:
    """Each value once, on a line of its own so that no word matches across two of them."""
    values = (user.username, user.first_name, user.last_name, user.email, user.federation_id)
    return "\n".join(dict.fromkeys(folded(value) for value in values if value))[:_SEARCH_CHARACTERS]
