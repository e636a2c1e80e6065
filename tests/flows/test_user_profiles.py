"""Support and administrators change user profiles by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cast import BRITTA, MALLORY, NOW
from house import House
from profiles import add_profile
from responses import Idp

from sp.flows import user_profiles
from sp.flows.account_setup import Invalid
from sp.flows.passwords import hash_password, password_matches
from sp.flows.user_profiles import ChangedMeanwhile, Profile
from sp.models import Account, User, UserSource, UserStatus
from sp.store import accounts, sessions, users
from sp.store.rows import required

WANTED = Profile("Britta", "Simon", "britta@contoso.example", "britta@contoso.example", "8842")
LATER = NOW + timedelta(hours=1)
UNAVAILABLE = {"username": "This username is not available: it is taken, or its domain is not one of your company."}


@pytest.fixture
def contoso(house: House) -> Account:
    return account(house, "business")


@pytest.fixture
def fabrikam(house: House) -> Account:
    return house.add_account("Fabrikam", "fabrikam")


def account(house: House, slug: str) -> Account:
    with house.database.reading() as session:
        found = accounts.account_by_slug(session, slug)
    assert found is not None
    return found


def add(house: House, where: Account, profile: Profile = WANTED, password: str | None = None) -> User | Invalid:
    password_hash = hash_password(password) if password else None
    with house.database.writing() as session:
        return user_profiles.add_user(session, where, profile, LATER, password_hash=password_hash)


def edit(house: House, user: User, profile: Profile, mark: str = "") -> User | Invalid | ChangedMeanwhile:
    with house.database.writing() as session:
        stored = users.user_of_account(session, user.account_id, required(user.id), lock=True)
        assert stored is not None
        mark = mark or user_profiles.mark_of(user_profiles.profile_of(stored))
        return user_profiles.edit(session, stored, profile, mark=mark)


def stored(house: House, user: User) -> User:
    with house.database.reading() as session:
        found = users.user_of_account(session, user.account_id, required(user.id))
    assert found is not None
    return found


def errors_of(outcome: User | Invalid | ChangedMeanwhile) -> dict[str, str]:
    assert isinstance(outcome, Invalid)
    return dict(outcome.errors)


def test_support_adds_britta(house: House, contoso: Account) -> None:
    britta = add(house, contoso)
    assert isinstance(britta, User)
    assert user_profiles.profile_of(stored(house, britta)) == WANTED
    assert (britta.source, britta.status, britta.created_at) == (UserSource.SUPPORT, UserStatus.ACTIVE, LATER)
    assert britta.password_hash is None


def test_support_may_give_her_a_password(house: House, contoso: Account) -> None:
    britta = add(house, contoso, password="Right-1-password")
    assert isinstance(britta, User)
    assert password_matches(britta.password_hash, "Right-1-password")


def test_white_space_that_came_along_is_cut_off(house: House, contoso: Account) -> None:
    britta = add(house, contoso, Profile(" Britta", "Simon\n", "\tb@contoso.example ", "britta ", " 8842 "))
    assert isinstance(britta, User)
    assert user_profiles.profile_of(britta) == Profile("Britta", "Simon", "b@contoso.example", "britta", "8842")


@pytest.mark.parametrize("name", ["first_name", "last_name", "email", "username"])
def test_four_values_are_mandatory(house: House, contoso: Account, name: str) -> None:
    assert list(errors_of(add(house, contoso, replace(WANTED, **{name: " "})))) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_name", "x" * 257),
        ("last_name", "Simon\nBcc: mallory@evil.example"),
        ("email", "not an address"),
        ("username", "britta simon"),
        ("username", "britta\u200bsimon"),
        ("username", "\u202eattirb"),
        ("federation_id", "88 42"),
        ("federation_id", "x" * 257),
    ],
)
def test_one_bad_value_is_refused_and_named(house: House, contoso: Account, name: str, value: str) -> None:
    assert list(errors_of(add(house, contoso, replace(WANTED, **{name: value})))) == [name]


def test_all_faults_come_at_once_in_the_order_of_the_form(house: House, contoso: Account) -> None:
    assert list(errors_of(add(house, contoso, Profile(federation_id=" ")))) == [
        "first_name",
        "last_name",
        "email",
        "username",
    ]


def test_a_name_that_mallory_has_elsewhere_is_taken_and_nothing_more_is_told(
    house: House, contoso: Account, fabrikam: Account
) -> None:
    add_profile(house.database, fabrikam, MALLORY, username=BRITTA.email.upper())
    assert errors_of(add(house, contoso)) == UNAVAILABLE
    britta = add_profile(house.database, contoso, username="britta")
    assert errors_of(edit(house, britta, WANTED)) == UNAVAILABLE


def test_a_name_that_somebody_deleted_elsewhere_had_is_taken_in_the_same_words(
    house: House, contoso: Account, fabrikam: Account
) -> None:
    add_profile(house.database, fabrikam, status=UserStatus.DELETED)
    assert errors_of(add(house, contoso)) == UNAVAILABLE
    britta = add_profile(house.database, contoso, username="britta")
    assert errors_of(edit(house, britta, WANTED)) == UNAVAILABLE


def test_support_brings_a_deleted_user_back_with_new_values(house: House, contoso: Account) -> None:
    gone = add_profile(
        house.database, contoso, first_name="Old", status=UserStatus.DELETED, last_sign_in_at=NOW, password_hash="old"
    )
    britta = add(house, contoso, replace(WANTED, username="Britta@contoso.example"))
    assert isinstance(britta, User)
    assert britta.id == gone.id
    back = stored(house, gone)
    assert (back.first_name, back.username) == ("Britta", "Britta@contoso.example")
    assert (back.source, back.status, back.created_at) == (UserSource.SUPPORT, UserStatus.ACTIVE, LATER)
    assert (back.last_sign_in_at, back.password_hash) == (None, None)


def test_an_edit_tells_of_a_deleted_user_of_the_same_account(house: House, contoso: Account) -> None:
    add_profile(house.database, contoso, status=UserStatus.DELETED)
    britta = add_profile(house.database, contoso, username="britta")
    assert "deleted user" in errors_of(edit(house, britta, WANTED))["username"]


def test_an_edit_may_change_the_case_of_the_own_name(house: House, contoso: Account) -> None:
    britta = add_profile(house.database, contoso)
    edited = edit(house, britta, replace(WANTED, username="BRITTA@contoso.example"))
    assert isinstance(edited, User)
    assert stored(house, britta).username == "BRITTA@contoso.example"


def test_an_edit_frees_the_old_name(house: House, contoso: Account) -> None:
    britta = add_profile(house.database, contoso)
    assert isinstance(edit(house, britta, replace(WANTED, username="bs@contoso.example")), User)
    assert isinstance(add(house, contoso), User)


def test_a_refused_edit_changes_nothing(house: House, contoso: Account) -> None:
    britta = add_profile(house.database, contoso)
    before = user_profiles.profile_of(britta)
    errors_of(edit(house, britta, replace(WANTED, first_name="Mallory", email="")))
    assert user_profiles.profile_of(stored(house, britta)) == before


def test_an_edit_of_something_that_changed_meanwhile_overwrites_nothing(house: House, contoso: Account) -> None:
    britta = add_profile(house.database, contoso)
    mark = user_profiles.mark_of(user_profiles.profile_of(britta))
    edit(house, britta, replace(WANTED, first_name="Bettina"))
    outcome = edit(house, britta, replace(WANTED, first_name="Birgit"), mark)
    assert outcome == ChangedMeanwhile(replace(WANTED, first_name="Bettina"))
    assert stored(house, britta).first_name == "Bettina"


def test_a_sign_in_meanwhile_is_no_change(house: House, contoso: Account) -> None:
    britta = add_profile(house.database, contoso)
    mark = user_profiles.mark_of(user_profiles.profile_of(britta))
    with house.database.writing() as session:
        britta.last_sign_in_at = LATER
        users.store_user(session, britta)
    assert isinstance(edit(house, britta, WANTED, mark), User)


@pytest.mark.parametrize("change", [user_profiles.disable, user_profiles.delete])
def test_a_disabled_or_deleted_user_is_signed_out_everywhere_and_stays_out(house: House, change: object) -> None:
    assert house.post(response(house), "a-token").accepted
    house.post(response(house), "another-token")
    britta = named(house)
    with house.database.writing() as session:
        change(session, britta)  # type: ignore[operator]
    assert not signed_in(house, "a-token")
    assert not signed_in(house, "another-token")
    refused = house.post(response(house), "a-third-token")
    assert refused.judgement.report.failed == ("user_active",)


def test_an_enabled_user_signs_in_again_but_no_old_session_comes_back(house: House) -> None:
    house.post(response(house), "a-token")
    with house.database.writing() as session:
        user_profiles.disable(session, named(house))
    with house.database.writing() as session:
        user_profiles.enable(session, named(house))
    assert not signed_in(house, "a-token")
    assert house.post(response(house), "a-new-token").accepted


def test_a_deleted_user_keeps_the_name_and_no_password(house: House, contoso: Account) -> None:
    britta = add_profile(house.database, contoso, password_hash="a hash")
    with house.database.writing() as session:
        user_profiles.delete(session, britta)
    gone = stored(house, britta)
    assert (gone.username, gone.status, gone.password_hash) == (BRITTA.email, UserStatus.DELETED, None)


def response(house: House) -> bytes:
    idp: Idp = house.idp
    return idp.response(name_id=BRITTA.email)


def named(house: House) -> User:
    with house.database.reading() as session:
        realm_id = required(accounts.shared_realm(session).id)
        found = users.user_named(session, realm_id, BRITTA.email)
    assert found is not None
    return found


def signed_in(house: House, token: str) -> bool:
    return sessions.find(house.database, token, house.now, house.settings.session_idle) is not None
