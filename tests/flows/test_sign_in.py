"""Who a user name and a password stand for."""

from __future__ import annotations

from typing import Any

import pytest
from cast import ALICE, BRITTA, NOW
from house import House
from profiles import add_profile
from sqlalchemy import text

from sp.flows.passwords import hash_password, password_matches
from sp.flows.sign_in import Credentials, Refusal, sign_in_with_password
from sp.models import Administrator, User, UserStatus
from sp.store import accounts, administrators, sessions

PASSWORD = "Right-1-password"
HASH = hash_password(PASSWORD)
ADDRESS = "192.0.2.7"
TOKEN = "the token"


def sign_in(house: House, username: str, password: str = PASSWORD, **more: Any) -> Refusal | None:
    credentials = Credentials(username, password, ADDRESS, **more)
    return sign_in_with_password(house.database, house.settings, house.now, credentials, TOKEN)


def signed_in_as(house: House, token: str = TOKEN) -> Administrator | User | None:
    found = sessions.find(house.database, token, house.now, house.settings.session_idle)
    return found[0] if found else None


def add_britta(house: House, **changes: Any) -> User:
    with house.database.reading() as session:
        business = accounts.account_by_slug(session, "business")
    assert business is not None
    return add_profile(house.database, business, **({"password_hash": HASH} | changes))


def test_britta_signs_in_and_the_time_is_kept(house: House) -> None:
    add_britta(house)
    assert sign_in(house, BRITTA.email) is None
    person = signed_in_as(house)
    assert isinstance(person, User)
    assert person.last_sign_in_at == NOW


def test_a_user_without_a_password_has_none_that_fits(house: House) -> None:
    """Users that were provisioned just in time never chose one; an empty one must not open anything."""
    add_britta(house, password_hash=None)
    assert sign_in(house, BRITTA.email, "") is Refusal.WRONG
    assert sign_in(house, BRITTA.email) is Refusal.WRONG
    assert signed_in_as(house) is None


@pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.DELETED])
def test_a_user_who_is_not_active_is_refused_like_a_wrong_password(house: House, status: UserStatus) -> None:
    add_britta(house, status=status)
    assert sign_in(house, BRITTA.email) is Refusal.WRONG
    assert signed_in_as(house) is None


def test_nobody_signs_in_to_an_account_that_is_not_active(house: House) -> None:
    add_britta(house)
    with house.database.writing() as session:
        business = accounts.account_by_slug(session, "business")
        assert business is not None
        business.active = False
    assert sign_in(house, BRITTA.email) is Refusal.WRONG
    assert signed_in_as(house) is None


def test_a_user_cannot_shadow_an_administrator_of_the_same_name(house: House) -> None:
    with house.database.writing() as session:
        contoso = accounts.company_named(session, "Contoso")
        assert contoso is not None
        administrators.add_administrator(session, contoso, ALICE.email, hash_password("Alices-1-password"), NOW)
    add_britta(house, username=ALICE.email)
    assert sign_in(house, ALICE.email) is Refusal.WRONG
    assert sign_in(house, ALICE.email, "Alices-1-password") is None
    assert isinstance(signed_in_as(house), Administrator)


def test_an_account_that_signs_in_at_its_identity_provider_takes_no_password(house: House) -> None:
    add_britta(house)
    house.configure(password_sign_in=False)
    assert sign_in(house, BRITTA.email) is Refusal.SSO_ONLY
    assert signed_in_as(house) is None


def test_a_wrong_password_does_not_tell_that_the_account_takes_none(house: House) -> None:
    add_britta(house)
    house.configure(password_sign_in=False)
    assert sign_in(house, BRITTA.email, "wrong") is Refusal.WRONG


def test_the_session_that_the_browser_had_ends(house: House) -> None:
    add_britta(house)
    sign_in(house, BRITTA.email)
    credentials = Credentials(BRITTA.email, PASSWORD, ADDRESS, old_token=TOKEN)
    assert sign_in_with_password(house.database, house.settings, house.now, credentials, "another") is None
    assert signed_in_as(house) is None
    assert isinstance(signed_in_as(house, "another"), User)


def test_disabling_a_user_ends_the_session_at_once(house: House) -> None:
    add_britta(house)
    sign_in(house, BRITTA.email)
    with house.database.writing() as session:
        session.execute(text("UPDATE user_profile SET status = 'disabled'"))
    assert signed_in_as(house) is None


@pytest.mark.parametrize("username", ["", "\x00", "britta\x00", "\ud800", "x" * 256])
def test_a_strange_user_name_is_nobody(house: House, username: str) -> None:
    assert sign_in(house, username) is Refusal.WRONG


def test_nobodys_password_fits_nothing() -> None:
    assert not password_matches(None, "")
    assert not password_matches(None, PASSWORD)
    assert not password_matches("not a hash", PASSWORD)
    assert password_matches(HASH, PASSWORD)
