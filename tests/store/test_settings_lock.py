"""Two administrators who save at the same moment, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from cast import NOW
from profiles import add_both_accounts
from sqlmodel import Session

from sp.flows.account_setup import Invalid, Overtaken, Saved, change_sso_settings
from sp.settings import Settings
from sp.store import accounts
from sp.store.engine import Database

Outcome = Saved | Invalid | Overtaken


def save(session: Session, slug: str, **changes: object) -> Outcome:
    account = accounts.account_by_slug(session, slug)
    assert account is not None
    return change_sso_settings(session, Settings(), account, changes, based_on=1, saved_by="alice", now=NOW)


def at_once(database: Database, *saves: Callable[[Session], Outcome]) -> list[Outcome]:
    together = Barrier(len(saves))

    def run(one: Callable[[Session], Outcome]) -> Outcome:
        together.wait(timeout=10)
        with database.writing() as session:
            return one(session)

    with ThreadPoolExecutor(len(saves)) as pool:
        return list(pool.map(run, saves))


def test_of_saves_of_one_form_at_once_one_is_kept(database: Database) -> None:
    add_both_accounts(database)
    issuers = [f"urn:{number}" for number in range(4)]
    outcomes = at_once(
        database, *(lambda session, issuer=issuer: save(session, "business", issuer=issuer) for issuer in issuers)
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Overtaken", "Overtaken", "Overtaken", "Saved"]


def test_saves_of_different_fields_at_once_are_both_kept(database: Database) -> None:
    add_both_accounts(database)
    outcomes = at_once(
        database,
        lambda session: save(session, "business", issuer="urn:x"),
        lambda session: save(session, "business", provisioning=False),
    )
    assert sorted(outcome.version for outcome in outcomes if isinstance(outcome, Saved)) == [2, 3]
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        in_force = accounts.settings_in_force(session, account)
    assert (in_force.version, in_force.issuer, in_force.provisioning) == (3, "urn:x", False)


def test_of_two_accounts_that_claim_an_issuer_at_once_one_gets_it(database: Database) -> None:
    add_both_accounts(database)
    outcomes = at_once(
        database,
        lambda session: save(session, "business", issuer="urn:same"),
        lambda session: save(session, "fabrikam", issuer="urn:same"),
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invalid", "Saved"]
