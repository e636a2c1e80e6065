"""Profiles as they are stored: whose name is whose, and what is derived from a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cast import BRITTA, MALLORY, NOW
from profiles import add_both_accounts, add_profile, profile
from sqlalchemy.exc import IntegrityError

from sp.models import UserStatus
from sp.store import users
from sp.store.engine import Database
from sp.store.rows import required
from sp.store.together import Done, Work


def test_britta_is_found_without_regard_to_case(database: Database) -> None:
    contoso = add_both_accounts(database).contoso
    britta = add_profile(database, contoso, username="BrittaSimon")
    with database.reading() as session:
        found = users.user_named(session, contoso.realm_id, "brittasimon")
    assert found is not None
    assert (found.id, found.username) == (britta.id, "BrittaSimon")


def test_mallory_cannot_take_brittas_name_in_another_account(database: Database) -> None:
    accounts = add_both_accounts(database)
    add_profile(database, accounts.contoso)
    with pytest.raises(IntegrityError):
        add_profile(database, accounts.fabrikam, MALLORY, username=BRITTA.email.upper())


def test_a_deleted_user_still_owns_the_name(database: Database) -> None:
    contoso = add_both_accounts(database).contoso
    add_profile(database, contoso, status=UserStatus.DELETED)
    with pytest.raises(IntegrityError):
        add_profile(database, contoso)


def test_another_accounts_user_does_not_exist_here(database: Database) -> None:
    accounts = add_both_accounts(database)
    britta = add_profile(database, accounts.contoso)
    with database.reading() as session:
        assert users.user_of_account(session, required(accounts.fabrikam.id), required(britta.id)) is None
        assert users.user_of_account(session, required(accounts.contoso.id), required(britta.id)) is not None


def test_a_row_that_did_not_come_through_the_store_is_refused(database: Database) -> None:
    contoso = add_both_accounts(database).contoso
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(profile(contoso))


def test_two_profiles_with_one_federation_id_are_both_found(database: Database) -> None:
    contoso = add_both_accounts(database).contoso
    for number in range(3):
        add_profile(database, contoso, username=f"britta{number}", federation_id="f-1")
    with database.reading() as session:
        assert len(users.people_with_federation_id(session, required(contoso.id), "f-1")) == 2
        assert users.people_with_federation_id(session, required(contoso.id), "F-1") == []


def test_times_come_back_as_they_were(database: Database) -> None:
    contoso = add_both_accounts(database).contoso
    britta = add_profile(database, contoso, last_sign_in_at=datetime(2030, 1, 31, 11, 59, 58, 765432, tzinfo=UTC))
    with database.reading() as session:
        found = users.user_of_account(session, required(contoso.id), required(britta.id))
    assert found is not None
    assert (found.created_at, found.last_sign_in_at) == (NOW, britta.last_sign_in_at)


def test_the_longest_values_fit_into_every_index(database: Database) -> None:
    """PostgreSQL refuses an index row above 2704 bytes, and one of these letters takes four."""
    contoso = add_both_accounts(database).contoso
    longest = "".join(chr(0x20000 + number) for number in range(256))  # nothing that would compress
    user = add_profile(
        database, contoso, username=longest, first_name=longest, last_name=longest, email=longest, federation_id=longest
    )
    expanding = "ΐ" * 256  # folds to three characters each
    other = add_profile(database, contoso, username=expanding, first_name=expanding)
    assert user.id != other.id


def test_a_sign_in_leaves_alone_what_an_administrator_changes_at_that_moment(database: Database) -> None:
    contoso = add_both_accounts(database).contoso
    britta = add_profile(database, contoso, username="britta", federation_id="f-1")
    with database.reading() as session:
        before = users.person_named(session, contoso.realm_id, "britta")
    assert before is not None
    with database.writing() as session:
        changed = users.user_of_account(session, required(contoso.id), required(britta.id))
        assert changed is not None
        changed.username, changed.federation_id = "britta.simon", "f-2"
        users.store_user(session, changed)
    told = replace(before, first_name="Brigitte")
    noted = database.write_together([Work(lambda transaction: users.note_sign_in(transaction, before, told, NOW))])
    assert noted == [Done()]
    with database.reading() as session:
        after = users.user_of_account(session, required(contoso.id), required(britta.id))
    assert after is not None
    assert (after.username, after.username_key, after.federation_id) == ("britta.simon", "britta.simon", "f-2")
    assert (after.first_name, after.first_name_key, after.last_sign_in_at) == ("Brigitte", "brigitte", NOW)
