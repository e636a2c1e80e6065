"""Tokens and what they open, in both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from api.conftest import Program
from browser import StillClock
from cast import NOW
from profiles import Accounts, add_both_accounts, add_crowd
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from sp.app import create_app
from sp.flows import service_keys
from sp.flows.account_setup import Invalid
from sp.flows.api_tokens import MAX_TOKENS, MadeToken, hash_token, make_token, recognize, still_holds
from sp.models import Account, ApiToken, Realm, TokenScope
from sp.settings import Settings
from sp.store import accounts, api_tokens, realms
from sp.store.engine import Database
from sp.store.rows import column, required


@pytest.fixture
def both(database: Database) -> Accounts:
    return add_both_accounts(database)


def made(database: Database, account: Account, name: str = "nightly", lifetime: timedelta | None = None) -> MadeToken:
    with database.writing() as session:
        found = make_token(session, account, name, TokenScope.WRITE, lifetime=lifetime, created_by="alice", now=NOW)
    assert isinstance(found, MadeToken), found
    return found


def of_workspace(database: Database) -> Account:
    """The account of a workspace that lasts for an hour."""
    with database.writing() as session:
        realm = realms.add(session, Realm(name="job-1", created_at=NOW, expires_at=NOW + timedelta(hours=1)))
        company = accounts.add_company(session, realm, "Workspace job-1", NOW)
        return accounts.add_account(session, company, "Business", "job-1", NOW)


def test_a_token_is_known_by_its_hash_until_it_ends(database: Database, both: Accounts) -> None:
    token = made(database, both.contoso, lifetime=timedelta(days=1)).token
    caller = recognize(database, token, NOW)
    assert caller is not None
    assert (caller.account_slug, caller.may_write) == ("business", True)
    later = NOW + timedelta(days=1)
    assert recognize(database, token, later) is None
    assert still_holds(database, caller, NOW)
    assert not still_holds(database, caller, later)


def test_a_token_that_has_an_old_id_is_another_token(database: Database, both: Accounts) -> None:
    """SQLite gives the id of the newest token again once that is revoked."""
    revoked = made(database, both.contoso)
    caller = recognize(database, revoked.token, NOW)
    assert caller is not None
    with database.writing() as session:
        api_tokens.remove(session, revoked.row)
    with database.writing() as session:
        new = make_token(session, both.contoso, "new", TokenScope.WRITE, lifetime=None, created_by="bob", now=NOW)
        assert isinstance(new, MadeToken)
        session.execute(update(ApiToken).where(column(ApiToken.id) == new.row.id).values(id=revoked.row.id))
    assert not still_holds(database, caller, NOW)


def test_a_token_of_a_workspace_ends_with_it(database: Database) -> None:
    account, ends = of_workspace(database), NOW + timedelta(hours=1)
    told = made(database, account, lifetime=timedelta(days=1)), made(database, account, "for good")
    assert [one.row.expires_at for one in told] == [ends, ends]
    assert made(database, account, "short", timedelta(minutes=1)).row.expires_at == NOW + timedelta(minutes=1)


def test_nobody_uses_a_workspace_that_was_ended(database: Database) -> None:
    account = of_workspace(database)
    token = made(database, account).token
    caller = recognize(database, token, NOW)
    assert caller is not None
    with database.writing() as session:
        realms.realm_by_id(session, account.realm_id).expires_at = NOW
    assert recognize(database, token, NOW) is None
    assert not still_holds(database, caller, NOW)


def test_the_last_use_is_kept(database: Database, both: Accounts) -> None:
    token = made(database, both.contoso).token
    recognize(database, token, NOW)
    with database.reading() as session:
        row = api_tokens.known(session, hash_token(token))
    assert row is not None
    assert row.last_used_at == NOW


def test_a_token_of_another_account_is_not_found(database: Database, both: Accounts) -> None:
    token_id = required(made(database, both.contoso).row.id)
    with database.reading() as session:
        assert api_tokens.one_of_account(session, required(both.fabrikam.id), token_id) is None
        assert api_tokens.of_account(session, required(both.fabrikam.id)) == []


def test_a_name_is_free_in_another_account_and_after_it_was_revoked(database: Database, both: Accounts) -> None:
    row = made(database, both.contoso).row
    made(database, both.fabrikam)
    with database.writing() as session:
        again = make_token(session, both.contoso, " nightly ", TokenScope.READ, lifetime=None, created_by="", now=NOW)
        assert isinstance(again, Invalid)
        api_tokens.remove(session, row)
    made(database, both.contoso)


def test_an_account_has_only_so_many(database: Database, both: Accounts) -> None:
    with database.writing() as session:
        for number in range(MAX_TOKENS):
            session.add(
                ApiToken(
                    account_id=required(both.contoso.id),
                    token_hash=f"{number:064}",
                    name=f"token {number}",
                    scope=TokenScope.READ,
                    created_by="alice",
                    created_at=NOW,
                )
            )
        session.flush()
        more = make_token(session, both.contoso, "more", TokenScope.READ, lifetime=None, created_by="", now=NOW)
    assert isinstance(more, Invalid)
    assert list(more.errors) == ["name"]


def test_a_hash_stands_for_one_token(database: Database, both: Accounts) -> None:
    row = made(database, both.contoso).row
    double = ApiToken(**row.model_dump(exclude={"id"}))
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(double)


def test_the_api_answers_the_same(database: Database, both: Accounts, tmp_path: Path) -> None:
    """Among others what one of the databases takes ill: a NUL in a search, text that no encoding takes."""
    settings = Settings(data_dir=tmp_path)
    service_keys.ensure_signing_key(database, settings, NOW)
    program = Program(create_app(settings, database, StillClock()), made(database, both.contoso).token)
    add_crowd(database, both.contoso, 30)
    page, count = program.get("/users?limit=7"), 0
    while page["next"]:
        count += len(page["items"])
        page = program.get(page["next"])
    assert count + len(page["items"]) == 30
    assert len(program.get("/users?search=bea%00ada")["items"]) == len(program.get("/users?search=bea%20ada")["items"])
    assert len(program.get("/users?federation_id=f-3&limit=2")["items"]) == 2
    for nothing in ("/users?username=%00", "/users?federation_id=%00", "/sign-ins?user=%00", "/sessions?search=%00"):
        assert program.get(nothing)["items"] == [], nothing
    assert program.get("/sign-ins?after=start&issuer=%00")["latest"] == "start"
    bob = {"first_name": "B\u0000b", "last_name": "Brown", "email": "bob@contoso.example"}
    assert program.refused("POST", "/users", bob) == (422, ["first_name"])
    assert program.refused("POST", "/users", bob | {"first_name": "Bob", "username": "b\u0000"}) == (422, ["username"])
    ada = f"/users/{page['items'][0]['id']}"
    assert program.refused("PATCH", ada, {"username": "b\u0000"}) == (422, ["username"])
    settings_path = "/account/single-sign-on"
    for field in ("provider_name", "issuer", "name_id_policy", "first_name_attribute", "sign_in_url"):
        answer = program.refused("PATCH", settings_path, {field: "urn:\u0000"}, headers={"if-match": "*"})
        assert answer == (422, [field])
    assert len(program.get(f"{settings_path}/versions")["items"]) == 1
