"""Requests are answered under the names of this service only, and forms of its own pages taken only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from browser import Browser
from cast import ALICE
from fastapi import FastAPI
from responses import Idp, post_field
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from sp.settings import Settings, SettingsError, load_settings
from sp.web.allowed_hosts import AllowedHosts

TOKEN = "a-token-that-is-long-enough"
PAGES = ["/", "/sso/login/", "/saml2/metadata", "/api/v1/openapi.json", "/static/app.css", "/metrics", "/none"]


def status(app: FastAPI, path: str, *hosts: str) -> int:
    """What a request with these Host headers gets; they are sent as they are."""
    client = TestClient(app, base_url="http://localhost:8000", follow_redirects=False)
    request = client.build_request("GET", path)
    del request.headers["host"]
    request.headers = type(request.headers)([*request.headers.raw, *((b"Host", host.encode()) for host in hosts)])
    return client.send(request).status_code


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "host",
    [
        pytest.param("rebound.example:8000", id="another name"),
        pytest.param("localhost", id="another port"),
        pytest.param("localhost:8001", id="a port that is not ours"),
        pytest.param("localhost.rebound.example:8000", id="a name that begins like ours"),
        pytest.param("rebound.example@localhost:8000", id="a name before an @"),
        pytest.param("127.0.0.2:8000", id="another loopback address"),
        pytest.param("", id="no name"),
    ],
)
def test_another_host_is_refused_everywhere(app: FastAPI, path: str, host: str) -> None:
    assert status(app, path, host) == 421


def test_a_name_with_other_letters_is_known_as_browsers_send_it(make_app: Callable[..., FastAPI]) -> None:
    app = make_app(base_url="https://b\u00fccher.example:8443")
    assert status(app, "/sso/login/", "xn--bcher-kva.example:8443") == 200
    assert status(app, "/sso/login/", "bucher.example:8443") == 421


def test_two_hosts_are_refused(app: FastAPI) -> None:
    assert status(app, "/sso/login/", "localhost:8000", "rebound.example:8000") == 421


def test_a_request_without_a_host_is_refused() -> None:
    """HTTP/1.0 allows it."""
    answered: list[int] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        answered.append(200)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    guarded = AllowedHosts(app, Settings(), lambda _request: Response(status_code=421))
    asyncio.run(guarded({"type": "http", "path": "/", "headers": []}, receive, send))
    assert answered == [421]


@pytest.mark.parametrize(
    "host", ["localhost:8000", "LOCALHOST:8000", "localhost.:8000", "127.0.0.1:8000", "[::1]:8000"]
)
def test_on_loopback_localhost_and_its_addresses_are_one_name(app: FastAPI, host: str) -> None:
    assert status(app, "/sso/login/", host) == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_ask_by_address(app: FastAPI, path: str) -> None:
    assert status(app, path, "10.1.2.3:8000") == 200


def test_metrics_with_a_token_may_be_asked_by_address(make_app: Callable[..., FastAPI]) -> None:
    assert status(make_app(metrics_token=TOKEN), "/metrics", "10.1.2.3:8000") == 401


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("office.example", 200),
        ("office.example:443", 200),
        ("sso.example", 200),
        ("10.0.0.5:8443", 200),
        ("10.0.0.5", 421),
        ("localhost", 421),
    ],
)
def test_configured_names_are_allowed_and_a_scheme_implies_its_port(
    make_app: Callable[..., FastAPI], host: str, expected: int
) -> None:
    app = make_app(base_url="https://office.example", allowed_hosts="sso.example, 10.0.0.5:8443")
    assert status(app, "/sso/login/", host) == expected


@pytest.mark.parametrize("value", ["http://sso.example", "sso.example/path", "a b", "[::1", "sso.example:port"])
def test_what_is_no_host_is_no_setting(value: str) -> None:
    with pytest.raises(SettingsError, match="VIRTUAL_OFFICE_ALLOWED_HOSTS"):
        load_settings({}, allowed_hosts=value)


def test_the_answer_names_the_host_and_the_setting(app: FastAPI) -> None:
    client = TestClient(app, base_url="http://rebound.example:8000")
    for headers in ({"accept": "text/html"}, {"accept": "application/json"}):
        answer = client.get("/sso/login/", headers=headers)
        assert answer.status_code == 421
        assert "rebound.example:8000" in answer.text
        assert "VIRTUAL_OFFICE_ALLOWED_HOSTS" in answer.text


def test_a_message_to_another_host_signs_nobody_in(app: FastAPI, connected: Idp) -> None:
    client = TestClient(app, base_url="http://rebound.example:8000", follow_redirects=False)
    answer = client.post("/saml2", data={"SAMLResponse": post_field(connected.response())})
    assert answer.status_code == 421
    assert not any("session" in name for name in answer.cookies)


@pytest.mark.parametrize(
    ("origin", "taken"),
    [
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", True),
        ("http://rebound.example:8000", False),
        ("https://localhost:8000", False),
        ("http://localhost:8001", False),
        ("http://[", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_form_is_taken_from_pages_of_the_base_url_only(browser: Browser, origin: str, *, taken: bool) -> None:
    browser.open("/sso/login/")
    browser.client.headers["origin"] = origin
    assert (browser.sign_in(ALICE.email).status_code == 200) is taken


def test_a_form_of_a_rebound_page_is_refused_though_its_host_and_origin_agree(app: FastAPI) -> None:
    rebound = Browser(app, base_url="http://rebound.example:8000")
    rebound.client.headers["origin"] = "http://rebound.example:8000"
    answer = rebound.client.post("/sso/login/", data={"username": ALICE.email, "password": "x"})
    assert answer.status_code == 421
