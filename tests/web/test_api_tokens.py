"""API Tokens: made, shown once, listed, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from browser import Browser, StillClock
from cast import ALICE
from fastapi import FastAPI

from sp.models import ApiToken
from sp.service import Service
from sp.store import accounts, api_tokens

PAGE = "/account-manager/business/accounts/api-tokens"


def tokens(service: Service, slug: str = "business") -> list[ApiToken]:
    with service.database.reading() as session:
        account = accounts.account_by_slug(session, slug)
        assert account is not None
        return list(api_tokens.of_account(session, account.id or 0))


def made(browser: Browser, **fields: str) -> str:
    """The new token, as the page shows it."""
    browser.open(PAGE)
    typed: dict[str, Any] = {"name": "nightly", "scope": "write", "expires": "30"} | fields
    browser.submit(PAGE, **typed)
    return str(browser.html.xpath("string(//section[@aria-labelledby='made-title']//code)")).strip()


def account_by(app: FastAPI, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return Browser(app).client.get("/api/v1/account", headers=headers).status_code


def test_a_token_is_made_and_opens_the_account(app: FastAPI, alice: Browser, service: Service) -> None:
    token = made(alice)
    assert account_by(app, token) == 200
    (row,) = tokens(service)
    assert (row.name, row.scope, row.created_by) == ("nightly", "write", ALICE.email)
    assert row.expires_at == service.now() + timedelta(days=30)


def test_a_token_may_fetch_exact_messages_where_that_is_ticked(alice: Browser, service: Service) -> None:
    made(alice)
    made(alice, name="audit", scope="read", messages="on")
    assert {row.name: row.scope for row in tokens(service)} == {"nightly": "write", "audit": "read messages"}
    assert "Read, exact messages" in alice.text()


def test_a_token_is_shown_once(alice: Browser) -> None:
    token = made(alice)
    assert alice.page.headers["cache-control"] == "no-store"
    assert token not in str(alice.page.headers)
    assert token not in alice.open(PAGE).text
    assert "nightly" in alice.text()


def test_a_reload_makes_no_second_one(alice: Browser, service: Service) -> None:
    made(alice)
    assert made(alice) == ""
    assert alice.page.status_code == 422
    assert "already" in alice.error_at("name")
    assert len(tokens(service)) == 1


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"scope": "everything"}, "scope"),
        ({"expires": "0"}, "expires"),
        ({"expires": "-1"}, "expires"),
    ],
)
def test_what_is_wrong_stands_beside_the_field(
    alice: Browser, service: Service, fields: dict[str, str], wrong: str
) -> None:
    alice.open(PAGE)
    sent = {"csrf_token": alice.token, "name": "nightly", "scope": "read", "expires": "7"} | fields
    assert alice.post(PAGE, data=sent).status_code == 422
    assert alice.error_at(wrong)
    assert tokens(service) == []


def test_a_token_that_never_expires(alice: Browser, service: Service) -> None:
    made(alice, expires="")
    assert tokens(service)[0].expires_at is None


def test_the_list_tells_the_last_use_and_the_end(app: FastAPI, alice: Browser, clock: StillClock) -> None:
    token = made(alice, expires="1")
    account_by(app, token)
    clock.advance(hours=2)
    alice.sign_in(ALICE.email)
    alice.open(PAGE)
    cells = {
        cell.get("data-column"): " ".join(cell.text_content().split())
        for cell in alice.html.xpath("//table[@id='tokens']//td[@data-column]")
    }
    assert cells["used"] == "2 hours ago"
    assert cells["ends"] == "in 22 hours"
    clock.advance(days=2)
    alice.sign_in(ALICE.email)
    alice.open(PAGE)
    assert "Expired" in alice.text()


def test_a_revoked_token_opens_nothing(app: FastAPI, alice: Browser, service: Service) -> None:
    token = made(alice)
    revoke = f"{PAGE}/{tokens(service)[0].id}/revoke"
    assert "Revoke nightly?" in alice.open(revoke).text
    alice.submit(revoke)
    assert "The token has been revoked." in alice.text()
    assert account_by(app, token) == 401
    assert alice.open(revoke).status_code == 404


def test_charlie_revokes_nothing_of_contosos(alice: Browser, charlie: Browser, service: Service) -> None:
    made(alice)
    theirs = tokens(service)[0].id
    charlie.open("/account-manager")
    for slug in ("business", "fabrikam"):
        path = f"/account-manager/{slug}/accounts/api-tokens/{theirs}/revoke"
        assert charlie.post(path, data={"csrf_token": charlie.token}).status_code == 404
    assert len(tokens(service)) == 1


@pytest.mark.parametrize("token_id", ["0", "x", "9" * 30, "\u0663"])
def test_an_id_that_is_none(alice: Browser, token_id: str) -> None:
    assert alice.open(f"{PAGE}/{token_id}/revoke").status_code == 404
