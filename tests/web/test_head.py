"""HEAD is answered wherever GET is: same status, same headers, no body. Every route is tried."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from browser import Browser
from fastapi import FastAPI
from starlette.datastructures import State
from starlette.routing import Route
from web.test_confinement import contoso  # noqa: F401  (a fixture: what is named in the addresses)

from sp.api.app import create_api
from sp.flows.api_tokens import API, MadeToken, make_token
from sp.models import TokenScope
from sp.store import accounts
from sp.web.state import Service

STYLESHEET = "/static/css/base.css"
EVENTS = f"{API}/sign-ins/events"
SAME = ("content-type", "allow", "cache-control")


def paths_of(app: FastAPI) -> list[str]:
    """The path of every route that takes GET."""
    return [route.path for route in app.routes if isinstance(route, Route) and "GET" in (route.methods or ())]


def filled(path: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: values.get(found[1], "1"), path)


@pytest.fixture
def token(service: Service) -> dict[str, str]:
    """The header with a program's token; pages do not look at it."""
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        made = make_token(
            session, account, "head", TokenScope.READ, lifetime=None, created_by="alice", now=service.now()
        )
    assert isinstance(made, MadeToken)
    return {"authorization": f"Bearer {made.token}"}


def asked(browser: Browser, method: str, address: str, token: dict[str, str]) -> httpx2.Response:
    return browser.client.request(method, address, headers=token, follow_redirects=False)


def seen(answer: httpx2.Response) -> dict[str, Any]:
    """What both methods have to agree on. The query of a redirect holds an ID that is new each time."""
    place = answer.headers.get("location", "").partition("?")[0]
    return {"status": answer.status_code, "location": place} | {name: answer.headers.get(name) for name in SAME}


def test_every_address_answers_head_as_it_answers_get(
    app: FastAPI,
    alice: Browser,
    token: dict[str, str],
    contoso: dict[str, str],  # noqa: F811
) -> None:
    app.state.stopping = True  # so that a GET of a live page ends
    api = [API + path for path in paths_of(create_api(State()))]
    statuses = []
    for address in (filled(path, contoso) for path in (*paths_of(app), *api, STYLESHEET)):
        get, head = (asked(alice, method, address, token) for method in ("GET", "HEAD"))
        assert seen(head) == seen(get), address
        assert head.content == b"", address
        statuses.append(get.status_code)
    assert len(statuses) > 60
    assert statuses.count(200) > 40, "without good addresses nothing is compared"


def test_the_head_of_a_live_page_ends(browser: Browser, token: dict[str, str]) -> None:
    answer = asked(browser, "HEAD", EVENTS, token)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_405_names_head_beside_get(browser: Browser, token: dict[str, str]) -> None:
    assert asked(browser, "POST", "/metrics", token).headers["allow"] == "GET, HEAD"
    assert asked(browser, "DELETE", f"{API}/account", token).headers["allow"] == "GET, HEAD"
