"""Who may call: a token that holds, for its account, and with its scope."""

from __future__ import annotations

from datetime import timedelta

import pytest
from api.conftest import API, Maker, Program
from browser import StillClock
from fastapi import FastAPI
from sqlalchemy import text

from sp.flows.api_tokens import MadeToken, hash_token, make_token
from sp.models import TokenScope
from sp.service import Service
from sp.store import accounts, api_tokens


def test_a_program_learns_which_account_its_token_is_for(program: Program, fabrikams: Program) -> None:
    assert program.get("/account")["company"] == "Contoso"
    assert fabrikams.get("/account")["company"] == "Fabrikam"


def test_without_a_token_nothing_is_told(nobody: Program) -> None:
    assert nobody.refused("GET", "/account") == (401, [])
    assert nobody.told.headers["www-authenticate"] == 'Bearer realm="virtual-office"'


@pytest.mark.parametrize(
    "wrong", ["vo_" + "A" * 43, "vo_short", "nonsense", "vo_" + "é" * 43, "x" * 10_000], ids=lambda wrong: wrong[:8]
)
def test_a_wrong_token_is_refused(app: FastAPI, wrong: str) -> None:
    program = Program(app)
    headers = [(b"authorization", b"Bearer " + wrong.encode())]
    assert program.refused("GET", "/account", headers=headers) == (401, [])
    assert 'error="invalid_token"' in program.told.headers["www-authenticate"]


@pytest.mark.parametrize("header", ["", "Bearer", "Basic dXNlcjpwYXNz", "Bearer  "])
def test_another_kind_of_authorization_is_refused(app: FastAPI, header: str) -> None:
    assert Program(app).refused("GET", "/account", headers={"authorization": header})[0] == 401


def test_a_token_in_the_address_is_not_looked_at(program: Program, nobody: Program) -> None:
    """Addresses end in logs and histories."""
    assert nobody.refused("GET", f"/account?access_token={program.token}")[0] == 401


def test_a_token_ends_at_its_time(app: FastAPI, token: Maker, clock: StillClock) -> None:
    program = Program(app, token(lifetime=timedelta(days=1)))
    clock.advance(hours=23, minutes=59)
    program.get("/account")
    clock.advance(minutes=1)
    assert program.refused("GET", "/account")[0] == 401


def test_a_revoked_token_is_refused_at_once(program: Program, service: Service) -> None:
    program.get("/account")
    with service.database.writing() as session:
        found = api_tokens.known(session, hash_token(program.token))
        assert found is not None
        row = api_tokens.one_of_account(session, found.account_id, found.id)
        assert row is not None
        api_tokens.remove(session, row)
    assert program.refused("GET", "/account")[0] == 401


def test_only_the_hash_of_a_token_is_kept(program: Program, service: Service) -> None:
    with service.database.engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM api_token")).mappings().one()
    assert program.token not in str(dict(row))
    assert row["token_hash"] == hash_token(program.token)
    assert len(program.token) == 46


def test_the_last_use_is_noted_once_a_minute(program: Program, service: Service, clock: StillClock) -> None:
    def last_used() -> object:
        with service.database.reading() as session:
            row = api_tokens.known(session, hash_token(program.token))
        assert row is not None
        return row.last_used_at

    assert last_used() is None
    program.get("/account")
    first = clock.now
    assert last_used() == first
    clock.advance(seconds=59)
    program.get("/account")
    assert last_used() == first
    clock.advance(seconds=1)
    program.get("/account")
    assert last_used() == clock.now


def test_a_made_token_is_in_no_log(service: Service) -> None:
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        now = service.now()
        made = make_token(session, account, "nightly", TokenScope.READ, lifetime=None, created_by="alice", now=now)
    assert isinstance(made, MadeToken)
    assert made.token not in repr(made)


def test_an_address_that_is_none_is_told_as_a_problem(program: Program) -> None:
    assert program.refused("GET", "/nonsense") == (404, [])
    assert program.refused("DELETE", "/account") == (405, [])
    assert program.told.headers["allow"] == "GET, HEAD"
    assert program.refused("GET", API + "/")[0] == 404
