"""User profiles.

Owns finding, creating and changing them. Never decides who may: flows do.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import Session

from sp.models import User
from sp.saml.identity import username_key
from sp.store.rows import column

# Enough to tell "one" from "several" without reading the rest.
_TWO = 2


def user_named(session: Session, realm_id: int, username: str) -> User | None:
    """The owner of a user name in the realm, whatever its account or status, without regard to case."""
    query = select(User).where(column(User.realm_id) == realm_id, column(User.username_key) == username_key(username))
    return session.execute(query).scalar_one_or_none()


def users_with_federation_id(session: Session, account_id: int, federation_id: str) -> list[User]:
    """At most two of the account's profiles that carry this Federation ID, tombstones included."""
    query = (
        select(User)
        .where(column(User.account_id) == account_id, column(User.federation_id) == federation_id)
        .limit(_TWO)
    )
    return list(session.execute(query).scalars())


def user_of_account(session: Session, account_id: int, user_id: int) -> User | None:
    """The profile if it belongs to the account; another account's profiles do not exist here."""
    query = select(User).where(column(User.id) == user_id, column(User.account_id) == account_id)
    return session.execute(query).scalar_one_or_none()


def store_user(session: Session, user: User) -> User:
    """Insert or update. Raises IntegrityError when the user name is taken in the realm."""
    session.add(user)
    session.flush()
    return user
