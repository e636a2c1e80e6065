"""Every form of the pages, from the application's own routes, refuses a request that another site can make.

What the check of one form does in detail: test_form_tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from browser import Browser
from fastapi import FastAPI
from responses import Idp
from sqlalchemy import select
from sqlmodel import SQLModel
from starlette.routing import Route
from web.test_confinement import address_parts

from sp.service import Service
from sp.store.engine import Database

# They take messages from identity providers, which post from another site, and believe signatures only.
SAML_MESSAGES = {f"{realm}{path}" for realm in ("", "/w/{workspace}") for path in ("/saml2", "/saml2/slo")}
SAML_MESSAGES |= {f"{path}/soap" for path in SAML_MESSAGES if path.endswith("/slo")}
PASSWORD_SIGN_IN = "/sso/login/"  # refuses an empty form with 403 too
ENDS_THE_SESSION = "/sign-out"
NOT_COMPARED = {"last_seen_at"}

OWN, FOREIGN = "own", "foreign"


@dataclass(frozen=True)
class Forgery:
    """What is wrong with a request: its token, or where its headers say that it comes from."""

    token: str
    status: int = 403
    headers: dict[str, str] = field(default_factory=dict)


FORGERIES = {
    "no token": Forgery(""),
    "the token of another session": Forgery(FOREIGN),
    "another origin": Forgery(OWN, headers={"origin": "https://evil.example"}),
    "another site": Forgery(OWN, headers={"sec-fetch-site": "cross-site"}),
    "another host": Forgery(OWN, 421, {"host": "evil.example"}),
}


@pytest.fixture
def forms(app: FastAPI, service: Service, connected: Idp) -> list[str]:
    """The addresses of all forms, signing out at the end."""
    parts = address_parts(service, connected) | {"purpose": "encryption"}  # the other key is the operator's
    routes = [route for route in app.routes if isinstance(route, Route) and "POST" in (route.methods or ())]
    paths = [route.path for route in routes if route.path not in SAML_MESSAGES]
    return [path.format(**parts) for path in sorted(paths, key=lambda path: path == ENDS_THE_SESSION)]


def rows(database: Database) -> dict[str, Any]:
    """Everything that is stored."""
    with database.reading() as session:
        return {
            table.name: session.execute(
                select(*(one for one in table.columns if one.name not in NOT_COMPARED))
                .select_from(table)
                .order_by(*table.primary_key.columns)
            ).all()
            for table in SQLModel.metadata.sorted_tables
        }


def status(browser: Browser, address: str, token: str, headers: dict[str, str] | None = None) -> int:
    sent = {"csrf_token": token} if token else {}
    return browser.client.post(address, data=sent, headers=headers, follow_redirects=False).status_code


def test_every_form_refuses_what_another_site_can_send_and_changes_nothing(
    forms: list[str], alice: Browser, bob: Browser, database: Database
) -> None:
    tokens = {"": "", OWN: alice.token, FOREIGN: bob.token}
    before = rows(database)
    done = {
        (address, name): status(alice, address, tokens[forgery.token], forgery.headers)
        for address in forms
        for name, forgery in FORGERIES.items()
    }
    assert {key: code for key, code in done.items() if code != FORGERIES[key[1]].status} == {}
    assert rows(database) == before
    assert len(forms) > 35


def test_no_form_refuses_the_token_of_its_own_session(forms: list[str], alice: Browser) -> None:
    """Otherwise the refusals above would prove nothing."""
    answers = {address: status(alice, address, alice.token) for address in forms if address != PASSWORD_SIGN_IN}
    assert {address: code for address, code in answers.items() if code in {403, 421}} == {}
