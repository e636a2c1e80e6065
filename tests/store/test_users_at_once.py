"""Two people change profiles at the same moment. PostgreSQL has several writers; SQLite lets one wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from time import sleep

from cast import NOW
from profiles import add_both_accounts, add_profile
from sqlalchemy import text

from sp.flows import user_profiles
from sp.flows.account_setup import Invalid
from sp.flows.user_profiles import ChangedMeanwhile, Profile, mark_of, profile_of
from sp.models import Account, User
from sp.store import accounts, users
from sp.store.engine import Database
from sp.store.rows import required

WANTED = Profile("Britta", "Simon", "britta@contoso.example", "britta@contoso.example", "")


def second_account(database: Database, account: Account) -> Account:
    """Another account of the same company, which may create the same names."""
    with database.writing() as session:
        company = accounts.company_by_id(session, account.company_id)
        return accounts.add_account(session, company, "Second", "second", NOW)


def add(database: Database, account: Account, start: Barrier) -> User | Invalid:
    with database.writing() as session:
        if database.engine.dialect.name == "postgresql":
            start.wait(10)  # both transactions are open, and neither sees the other's row
        return user_profiles.add_user(session, account, WANTED, NOW)


def edit(database: Database, user: User, first_name: str) -> User | Invalid | ChangedMeanwhile:
    mark = mark_of(profile_of(user))
    with database.writing() as session:
        stored = users.user_of_account(session, user.account_id, required(user.id), lock=True)
        assert stored is not None
        return user_profiles.edit(session, stored, replace(profile_of(user), first_name=first_name), mark=mark)


def rename(database: Database, user: User) -> tuple[User | Invalid | ChangedMeanwhile, str]:
    """What comes of it, and the user name that the page then shows."""
    with database.writing() as session:
        stored = users.user_of_account(session, user.account_id, required(user.id), lock=True)
        assert stored is not None
        outcome = user_profiles.edit(session, stored, WANTED, mark=mark_of(profile_of(stored)))
    return outcome, stored.username


def wait_for_a_blocked_one(database: Database) -> None:
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for _ in range(500):
        with database.engine.connect() as connection:
            if connection.execute(waiting).scalar_one():
                return
        sleep(0.01)
    raise AssertionError("nobody waits")


def test_one_name_added_in_two_accounts_at_once_makes_one_user(database: Database) -> None:
    contoso = add_both_accounts(database).contoso
    second = second_account(database, contoso)
    start = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda account: add(database, account, start), (contoso, second)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invalid", "User"]
    with database.reading() as session:
        owner = users.user_named(session, contoso.realm_id, WANTED.username)
    assert owner in [outcome for outcome in outcomes if isinstance(outcome, User)]


def test_an_edit_to_a_name_that_is_taken_at_that_moment_is_refused(postgresql_database: Database) -> None:
    """The other one's row is there, not yet committed, when ours is looked up: only the database can tell."""
    contoso = add_both_accounts(postgresql_database).contoso
    second = second_account(postgresql_database, contoso)
    britta = add_profile(postgresql_database, contoso, username="bs@contoso.example")
    with ThreadPoolExecutor(1) as pool, postgresql_database.writing() as session:
        user_profiles.add_user(session, second, WANTED, NOW)
        editing = pool.submit(rename, postgresql_database, britta)
        wait_for_a_blocked_one(postgresql_database)
        session.commit()
        outcome, current = editing.result(10)
    assert isinstance(outcome, Invalid)
    assert list(outcome.errors) == ["username"]
    assert current == britta.username


def test_of_two_edits_at_once_one_is_told_of_the_other(database: Database) -> None:
    britta = add_profile(database, add_both_accounts(database).contoso)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda name: edit(database, britta, name), ("Bettina", "Birgit")))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ChangedMeanwhile", "User"]
