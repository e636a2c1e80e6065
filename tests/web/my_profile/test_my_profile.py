"""My profile: what a signed-on user is told."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from browser import Browser, StillClock
from cast import BRITTA, CONTOSO_ISSUER, NOW
from fastapi import FastAPI
from responses import EMAIL_FORMAT, Idp

PAGE = "/my-profile"


@pytest.fixture
def sign_on(browser: Browser, connected: Idp) -> Any:
    """A function of what the identity provider sends: Britta's browser at her profile."""

    def open_profile(**sent: Any) -> Browser:
        form = {"SAMLResponse": base64.b64encode(connected.response(**sent)).decode()}
        assert browser.post("/saml2", data=form).status_code == 200
        browser.open(PAGE)
        return browser

    return open_profile


def facts(browser: Browser) -> dict[str, str]:
    return {
        " ".join(row.xpath("./dt")[0].text_content().split()): " ".join(row.xpath("./dd")[0].text_content().split())
        for row in browser.html.xpath("//dl[contains(@class,'facts')]/div")
    }


def attributes(browser: Browser) -> dict[str, list[str]]:
    return {
        row.xpath("./td[1]//code")[0].text_content(): [code.text_content() for code in row.xpath("./td[2]//code")]
        for row in browser.html.xpath("//table[@id='attributes']/tbody/tr")
    }


def test_britta_reads_who_she_is_and_how_she_signed_on(sign_on: Any) -> None:
    shown = facts(sign_on())
    assert shown["First Name"] == "Britta"
    assert shown["Username"] == BRITTA.email
    assert (shown["Account"], shown["Company"]) == ("Business", "Contoso")
    assert shown["Method"] == "Single Sign On with SAML"
    assert shown["Identity provider"] == CONTOSO_ISSUER
    assert (shown["NameID"], shown["NameID format"]) == (BRITTA.email, EMAIL_FORMAT)
    assert shown["Signed on"] == "just now (2030-01-31 12:00:00 UTC)"
    assert len(shown["Reference"]) >= 4
    assert shown["Authentication context"].startswith("urn:")


def test_the_session_ends_when_idle_and_in_any_case(sign_on: Any, clock: StillClock) -> None:
    browser = sign_on()
    clock.advance(minutes=30)
    browser.open(PAGE)
    shown = facts(browser)
    assert shown["Without another request"] == "in 1 hour (2030-01-31 13:30:00 UTC)"
    assert shown["In any case"] == "in 11 hours (2030-02-01 00:00:00 UTC)"


def test_an_idle_end_is_never_after_the_end(britta: Browser, clock: StillClock) -> None:
    for _ in range(23):
        clock.advance(minutes=30)
        britta.open(PAGE)
    clock.advance(minutes=10)
    britta.open(PAGE)
    end = (NOW + timedelta(hours=12)).strftime("%Y-%m-%d %H:%M:%S UTC")
    assert facts(britta)["Without another request"].endswith(f"({end})")


def test_what_the_identity_provider_sent_is_shown_as_it_came(sign_on: Any) -> None:
    sent = {"Role": ("admin ", "viewer"), "http://claims.example/givenname": ("Britta",), "blank": ("",)}
    shown = attributes(sign_on(attributes=sent))
    assert shown == {"Role": ["admin ", "viewer"], "http://claims.example/givenname": ["Britta"], "blank": []}


def test_hostile_values_are_text_and_their_marks_are_seen(sign_on: Any) -> None:
    sent = {"<img src=x>": ("<script>alert(1)</script>", "\u202etxt.exe", "y" * 300)}
    browser = sign_on(attributes=sent)
    assert "<script>alert" not in browser.page.text
    assert "<img src=x>" not in browser.page.text
    assert attributes(browser)["<img src=x>"][0] == "<script>alert(1)</script>"
    assert browser.html.xpath("//table//*[@data-mark]/@data-mark") == ["\\u202e"]
    assert "Show all 300 characters" in browser.text()


def test_an_assertion_without_attributes_says_so(sign_on: Any) -> None:
    browser = sign_on(attributes={})
    assert "No attributes" in browser.text()


def test_a_user_with_a_password_sees_nothing_about_saml(britta: Browser) -> None:
    britta.open(PAGE)
    shown = facts(britta)
    assert shown["Method"] == "8x8 Username and Password"
    assert "NameID" not in shown
    assert "identity provider sent" not in britta.text()


def test_britta_signs_out_from_here(britta: Browser) -> None:
    britta.open(PAGE)
    britta.submit("/sign-out")
    assert britta.open(PAGE).url.path != PAGE


def test_alice_has_no_user_profile(alice: Browser) -> None:
    assert alice.open(PAGE).status_code == 403


def test_a_stranger_is_led_to_the_sign_in_and_back(app: FastAPI, browser: Browser) -> None:  # noqa: ARG001
    browser.open(PAGE)
    assert browser.page.url.params.get("next") == PAGE
    browser.sign_in(BRITTA.email, after=f"/?next={PAGE}")
    assert browser.page.url.path == PAGE
