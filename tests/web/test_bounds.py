"""No page reads more of a request than it needs."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import pytest
from browser import Browser
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from sp.request_limits import KIB, LARGE_BODY_BYTES, limits_of
from sp.web import slo, sso
from sp.web.body_limit import BodyLimit

SAML_PAGE = "/account-manager/business/accounts/single-sign-on"
CERTIFICATE = f"{SAML_PAGE}/certificate"


@pytest.mark.parametrize("path", ["/sso/login/", "/sign-out", CERTIFICATE, f"{SAML_PAGE}/saml"])
def test_a_body_that_says_it_is_too_long_gets_a_page_that_says_so(alice: Browser, path: str) -> None:
    page = alice.post(path, data={"csrf_token": "x" * (LARGE_BODY_BYTES + 1)})
    assert page.status_code == 413
    assert "That is too large" in page.text
    assert page.headers["content-security-policy"]


def test_a_body_that_does_not_say_how_long_it_is_is_counted(alice: Browser) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    chunks = (b"x" * 16 * 1024 for _ in range(64))
    page = alice.post("/sso/login/", content=chunks, headers=headers)
    assert page.status_code == 413


def test_no_more_than_the_limit_is_taken_from_the_network() -> None:
    chunks = iter(range(1000))

    async def receive() -> Message:
        next(chunks)
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    async def read_everything(_scope: Scope, receive: Receive, _send: Send) -> None:
        while True:
            await receive()

    limited = BodyLimit(read_everything, frozenset())
    scope: Scope = {"type": "http", "path": "/sso/login/", "headers": []}
    with pytest.raises(HTTPException):
        asyncio.run(limited(scope, receive, no_answer))
    assert next(chunks) == limits_of("/sso/login/").body // KIB + 1


def test_nothing_is_taken_from_the_network_when_the_length_is_said_first() -> None:
    async def receive() -> Message:
        raise AssertionError("something was read")

    async def read(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()

    scope: Scope = {"type": "http", "path": "/sso/login/", "headers": [(b"content-length", b"8193")]}
    with pytest.raises(HTTPException):
        asyncio.run(BodyLimit(read, frozenset())(scope, receive, no_answer))


async def no_answer(_message: Message) -> None:
    raise AssertionError("a refused body was answered by the wrong part")


def test_a_file_beyond_the_limit_is_refused_before_it_is_kept(alice: Browser) -> None:
    alice.open("/")
    page = alice.post(CERTIFICATE, data={"csrf_token": alice.token}, files={"certificate": b"x" * LARGE_BODY_BYTES})
    assert page.status_code == 413


def test_a_body_within_the_limit_is_read(alice: Browser) -> None:
    alice.open("/")
    page = alice.post(CERTIFICATE, data={"csrf_token": alice.token}, files={"certificate": b"x" * (128 * 1024)})
    assert page.status_code == 422
    assert "larger than 64 KiB" in page.text


def test_the_assertion_consumer_has_its_own_bound(browser: Browser) -> None:
    page = browser.post("/saml2", data={"SAMLResponse": "A" * (LARGE_BODY_BYTES + 1)})
    assert page.status_code == 400  # read, and then judged: it is no base64 of anything
    assert "That is too large" not in page.text


@pytest.mark.parametrize("length", ["-1", "\u00b2", "1e9"])
def test_a_strange_content_length_breaks_nothing(browser: Browser, length: str) -> None:
    headers = {"content-length": length.encode("latin-1")}
    page = browser.post("/sso/login/", content=b"username=x", headers=headers)
    assert page.status_code < 500


@pytest.mark.parametrize(("path", "reader"), [("/saml2", sso), ("/saml2/slo", slo)])
def test_forms_of_strangers_are_read_beside_the_event_loop(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, path: str, reader: ModuleType
) -> None:
    """A megabyte of escapes takes half a second, in which everybody else would wait."""
    beside: list[bool] = []

    def reading(*given: Any, **named: Any) -> Any:
        beside.append(asyncio._get_running_loop() is None)
        return parse_qsl(*given, **named)

    monkeypatch.setattr(reader, "parse_qsl", reading)
    browser.post(path, data={"SAMLResponse": "AAAA"})
    browser.client.get(path, params={"SAMLResponse": "AAAA"})
    assert beside
    assert all(beside)


def test_a_form_with_a_thousand_fields_is_refused(alice: Browser) -> None:
    page = alice.post("/sso/login/", data={f"f{number}": "" for number in range(1001)})
    assert page.status_code == 400
