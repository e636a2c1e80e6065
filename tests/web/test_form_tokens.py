"""A form is believed only when it comes from a page of ours in the same browser."""

from __future__ import annotations

import pytest
from browser import PASSWORD, Browser
from cast import ALICE
from fastapi import FastAPI

SAML_PAGE = "/account-manager/business/accounts/single-sign-on"
METHOD = f"{SAML_PAGE}/authentication-method"


def form(browser: Browser, **changes: str) -> dict[str, str]:
    browser.open(SAML_PAGE)
    return {"csrf_token": browser.token, "version": "1", "single_sign_on": "on", "password_sign_in": "on"} | changes


def is_on(alice: Browser) -> bool:
    return "SAML Single Sign on" in alice.open(SAML_PAGE).text


def test_a_form_of_this_browser_is_believed(alice: Browser) -> None:
    assert alice.post(METHOD, data=form(alice)).status_code == 200
    assert is_on(alice)


def test_a_form_without_a_token_is_refused(alice: Browser) -> None:
    sent = form(alice)
    del sent["csrf_token"]
    assert alice.post(METHOD, data=sent).status_code == 403
    assert not is_on(alice)


@pytest.mark.parametrize("token", ["", "0" * 64, "\u2603"])
def test_a_form_with_a_wrong_token_is_refused(alice: Browser, token: str) -> None:
    assert alice.post(METHOD, data=form(alice, csrf_token=token)).status_code == 403
    assert not is_on(alice)


def test_a_token_from_another_browser_is_refused(alice: Browser, bob: Browser) -> None:
    """Mallory has a token too: of a browser of Mallory's own."""
    bob.open(SAML_PAGE)
    assert alice.post(METHOD, data=form(alice, csrf_token=bob.token)).status_code == 403
    assert not is_on(alice)


def test_a_token_ends_with_its_session(alice: Browser) -> None:
    sent = form(alice)
    alice.submit("/sign-out")
    alice.sign_in(ALICE.email)
    assert alice.post(METHOD, data=sent).status_code == 403
    assert not is_on(alice)


def test_a_token_sent_as_a_file_is_refused(alice: Browser) -> None:
    sent = form(alice)
    token = sent.pop("csrf_token")
    assert alice.post(METHOD, data=sent, files={"csrf_token": token.encode()}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:8001", "http://localhost:8000.evil"]
)
def test_a_form_from_another_origin_is_refused_with_the_right_token_too(alice: Browser, origin: str) -> None:
    assert alice.post(METHOD, data=form(alice), headers={"origin": origin}).status_code == 403
    assert not is_on(alice)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_that_the_browser_calls_foreign_is_refused(alice: Browser, site: str) -> None:
    assert alice.post(METHOD, data=form(alice), headers={"sec-fetch-site": site}).status_code == 403
    assert not is_on(alice)


def test_a_form_from_our_own_origin_is_believed(alice: Browser) -> None:
    headers = {"origin": "http://localhost:8000", "sec-fetch-site": "same-origin"}
    assert alice.post(METHOD, data=form(alice), headers=headers).status_code == 200
    assert is_on(alice)


def test_mallory_cannot_sign_a_browser_in_as_mallory(browser: Browser) -> None:
    browser.open("/")
    page = browser.post("/sso/login/", data={"username": ALICE.email, "password": PASSWORD})
    assert page.status_code == 403
    assert "virtual_office_session" not in browser.client.cookies


def test_a_browser_without_cookies_is_told_so(app: FastAPI) -> None:
    browser = Browser(app)
    browser.open("/")
    sent = {"csrf_token": browser.token, "username": ALICE.email, "password": PASSWORD}
    browser.client.cookies.clear()
    assert browser.post("/sso/login/", data=sent).status_code == 403
    assert "Your browser sent no cookie" in browser.text()
    assert "Allow cookies for this site" in browser.text()
