"""Contoso's people, for the stories about the list."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cast import BRITTA, Person
from profiles import add_profile

from sp.models import Account, User
from sp.store import accounts, users
from sp.store.engine import Database
from sp.store.rows import required

LIST = "/account-manager/business/accounts/user-profiles"


@pytest.fixture
def contoso(database: Database) -> Account:
    return account(database, "business")


@pytest.fixture
def fabrikam(database: Database) -> Account:
    return account(database, "fabrikam")


@pytest.fixture
def britta_row(database: Database, contoso: Account) -> User:
    with database.reading() as session:
        found = users.user_named(session, contoso.realm_id, BRITTA.email)
    assert found is not None
    return found


@pytest.fixture
def stored(database: Database) -> Callable[[User], User]:
    """A user as the database has it now."""

    def read(user: User) -> User:
        with database.reading() as session:
            found = users.user_of_account(session, user.account_id, required(user.id))
        assert found is not None
        return found

    return read


@pytest.fixture
def add(database: Database, contoso: Account) -> Callable[..., User]:
    """A function that adds a profile to Contoso's account."""

    def store(username: str, **changes: object) -> User:
        return add_profile(database, contoso, Person("", "", ""), **({"username": username} | changes))

    return store


def account(database: Database, slug: str) -> Account:
    with database.reading() as session:
        found = accounts.account_by_slug(session, slug)
    assert found is not None
    return found
