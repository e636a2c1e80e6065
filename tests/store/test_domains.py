"""Domains, conflicts about issuers and released names, as both databases keep them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from cast import BRITTA, NOW
from profiles import Accounts, add_both_accounts, add_profile
from sqlalchemy import text

from sp.flows.account_setup import Invalid, Saved, SsoDraft, save_sso_settings
from sp.flows.domains import AddedDomain, DomainProblem, RefusedDomain, add_domain, may_create_username, users_outside
from sp.models import CompanyDomain, UserStatus
from sp.settings import Settings
from sp.store import accounts, domains, issuer_conflicts, users
from sp.store.engine import Database
from sp.store.rows import required


@pytest.fixture
def both(database: Database) -> Accounts:
    return add_both_accounts(database)


def give(database: Database, slug: str, domain: str, start: Barrier | None = None) -> AddedDomain | RefusedDomain:
    with database.writing() as session:
        if start is not None and database.engine.dialect.name == "postgresql":
            start.wait(10)  # both transactions are open, and neither sees the other's row
        account = accounts.account_by_slug(session, slug)
        assert account is not None
        company = accounts.company_by_id(session, account.company_id)
        return add_domain(session, company, domain, NOW)


def save(database: Database, slug: str, issuer: str) -> Saved | Invalid:
    with database.writing() as session:
        account = accounts.account_by_slug(session, slug)
        assert account is not None
        return save_sso_settings(session, Settings(), account, SsoDraft(issuer=issuer), saved_by="alice", now=NOW)


def test_of_two_companies_that_get_a_domain_at_once_one_owns_it(database: Database, both: Accounts) -> None:
    start = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(
            pool.map(lambda slug: give(database, slug, "new.example", start), (both.contoso.slug, both.fabrikam.slug))
        )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AddedDomain", "RefusedDomain"]
    assert [one.problem for one in outcomes if isinstance(one, RefusedDomain)] == [DomainProblem.OWNED]


def test_an_account_creates_names_in_the_domains_of_its_company(database: Database, both: Accounts) -> None:
    contoso, fabrikam = required(both.contoso.id), required(both.fabrikam.id)
    with database.reading() as session:
        for username, owner in (("x@Contoso.Example", contoso), ("x@fabrikam.example", fabrikam), ("x@a\0", 0)):
            allowed = {
                account_id for account_id in (contoso, fabrikam) if may_create_username(session, account_id, username)
            }
            assert allowed == ({owner} if owner else set()), username


def test_users_outside_are_found(database: Database, both: Accounts) -> None:
    add_profile(database, both.contoso)
    add_profile(database, both.fabrikam, username="guest@contoso.example")
    add_profile(database, both.fabrikam, username="x@notfabrikam.example")
    add_profile(database, both.fabrikam, username="gone@contoso.example", status=UserStatus.DELETED)
    add_profile(database, both.fabrikam, username="Y@BÜCHER.example")
    give(database, "fabrikam", "bücher.example")
    with database.reading() as session:
        assert [user.username for user in users_outside(session)] == ["guest@contoso.example", "x@notfabrikam.example"]


def test_a_refused_issuer_is_a_stored_conflict(database: Database, both: Accounts) -> None:
    outcomes = [save(database, slug, "urn:same") for slug in ("business", "fabrikam", "fabrikam")]
    assert [type(outcome) for outcome in outcomes] == [Saved, Invalid, Invalid]
    with database.reading() as session:
        (conflict,) = issuer_conflicts.every_conflict(session)
        assert (conflict.account_id, conflict.issuer, conflict.times) == (both.fabrikam.id, "urn:same", 2)
        (held,) = accounts.issuers_in_force(session)
        assert held[:2] == ("urn:same", "issuer")


def test_a_removed_user_leaves_the_name_and_the_log(database: Database, both: Accounts) -> None:
    gone = add_profile(database, both.fabrikam, username=BRITTA.email)
    with database.writing() as session:
        session.execute(
            text(
                "INSERT INTO sign_in_attempt (reference, realm_id, account_id, received_at, outcome, failed, warnings,"
                " remote_address, issuer, username, unverified_username, user_id, provisioned, codes, user_key,"
                " issuer_key, expectations) VALUES ('A', :realm, :account, :now, 'accepted', '[]', '[]', '', '', :name,"
                " '', :user, :no, '', '', '', '{}')"
            ),
            {
                "realm": gone.realm_id,
                "account": gone.account_id,
                "now": NOW,
                "name": gone.username,
                "user": gone.id,
                "no": False,
            },
        )
        user = users.user_of_account(session, gone.account_id, required(gone.id))
        assert user is not None
        users.remove(session, user)
    add_profile(database, both.contoso)
    with database.reading() as session:
        row = session.execute(text("SELECT username, user_id FROM sign_in_attempt")).one()
        assert tuple(row) == (BRITTA.email, None)


def test_a_domain_is_removed(database: Database, both: Accounts) -> None:
    with database.writing() as session:
        assert domains.remove(session, "contoso.example")
        assert not domains.remove(session, "contoso.example")
        assert session.get(CompanyDomain, "fabrikam.example") is not None
        assert domains.domains_of(session, both.contoso.company_id) == []
