"""Signing in with a user name and a password, sessions, and signing out."""

from __future__ import annotations

import pytest
from browser import PASSWORD, WRONG_PASSWORD, Browser, StillClock
from cast import ALICE, BRITTA
from fastapi import FastAPI
from sqlalchemy import text

from sp.store.engine import Database

SESSION = "virtual_office_session"
SAML_PAGE = "/account-manager/business/accounts/single-sign-on"


def test_alice_signs_in_and_sees_the_administrators_tile(browser: Browser) -> None:
    browser.sign_in(ALICE.email)
    assert "Virtual Office Account Mgr" in browser.text()
    assert f"Signed in as {ALICE.email}" in browser.text()
    assert "My profile" not in browser.text()


def test_britta_signs_in_and_sees_the_users_tile(browser: Browser) -> None:
    browser.sign_in(BRITTA.email)
    assert "Signed in as Britta Simon" in browser.text()
    assert browser.html.xpath("//a[@href='/my-profile']")
    assert "Account Mgr" not in browser.text()


def test_a_user_name_counts_without_regard_to_case_and_outer_white_space(browser: Browser) -> None:
    browser.sign_in(f" {ALICE.email.upper()} ")
    assert "Virtual Office Account Mgr" in browser.text()


@pytest.mark.parametrize("username", [ALICE.email, "nobody@contoso.example", "a\x00b", ""])
def test_a_refusal_does_not_tell_what_was_wrong(browser: Browser, username: str) -> None:
    page = browser.sign_in(username, WRONG_PASSWORD)
    assert page.status_code == 403
    assert browser.html.xpath("string(//*[@role='alert'])").strip() == "The user name or the password is not right."
    assert WRONG_PASSWORD not in page.text
    assert SESSION not in browser.client.cookies


def test_the_user_name_stays_after_a_refusal(browser: Browser) -> None:
    browser.sign_in(ALICE.email, WRONG_PASSWORD)
    assert browser.value_of("username") == ALICE.email


@pytest.mark.usefixtures("connected")
def test_a_user_of_an_account_without_password_sign_in_is_sent_to_single_sign_on(
    alice: Browser, browser: Browser
) -> None:
    alice.open(SAML_PAGE)
    alice.submit(f"{SAML_PAGE}/authentication-method", password_sign_in=None)
    page = browser.sign_in(BRITTA.email)
    assert page.status_code == 403
    assert "Single Sign On only" in browser.text()


def test_a_disabled_user_is_refused_like_a_wrong_password(browser: Browser, database: Database) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE user_profile SET status = 'disabled'"))
    browser.sign_in(BRITTA.email)
    assert "The user name or the password is not right." in browser.text()


def test_whoever_wanted_a_page_is_led_to_it_after_signing_in(browser: Browser) -> None:
    browser.sign_in(ALICE.email, after=SAML_PAGE)
    assert browser.page.url.path == SAML_PAGE


def test_the_words_of_a_search_survive_signing_in(browser: Browser) -> None:
    browser.sign_in(ALICE.email, after=f"{SAML_PAGE}?q=britta&sort=created")
    assert str(browser.page.url).endswith(f"{SAML_PAGE}?q=britta&sort=created")


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/%2f/evil.example",
    ],
)
def test_mallory_cannot_send_a_sign_in_to_another_site(browser: Browser, wanted: str) -> None:
    browser.open("/", params={"next": wanted})
    browser.client.follow_redirects = False
    page = browser.submit("/sso/login/", username=ALICE.email, password=PASSWORD)
    assert (page.status_code, page.headers["location"]) == (303, "/")


def test_the_sign_in_page_leads_on_whoever_is_signed_in(alice: Browser) -> None:
    alice.open("/sso/login/")
    assert "Application Panel" in alice.text()


def test_a_sign_in_gets_a_new_session_and_ends_the_old_one(app: FastAPI, alice: Browser) -> None:
    old = alice.client.cookies[SESSION]
    alice.open("/")
    alice.post("/sso/login/", data={"csrf_token": alice.token, "username": ALICE.email, "password": PASSWORD})
    assert alice.client.cookies[SESSION] != old
    assert_signed_out(app, old)


def test_a_session_id_that_mallory_planted_is_not_taken_over(app: FastAPI, browser: Browser) -> None:
    browser.client.cookies.set(SESSION, "planted")
    browser.open("/")
    browser.client.follow_redirects = False
    page = browser.submit("/sso/login/", username=ALICE.email, password=PASSWORD)
    assert page.status_code == 303
    assert f"{SESSION}=" in page.headers["set-cookie"]
    assert f"{SESSION}=planted" not in page.headers["set-cookie"]
    assert_signed_out(app, "planted")


def test_signing_out_ends_the_session_on_the_server(app: FastAPI, alice: Browser) -> None:
    token = alice.client.cookies[SESSION]
    alice.open("/")
    alice.submit("/sign-out")
    assert "Password" in alice.text()
    assert SESSION not in alice.client.cookies
    assert_signed_out(app, token)


def test_a_session_ends_when_it_is_idle_for_too_long(alice: Browser, clock: StillClock) -> None:
    clock.advance(minutes=59)
    assert "Application Panel" in alice.open("/").text
    clock.advance(minutes=59)
    assert "Application Panel" in alice.open("/").text
    clock.advance(minutes=60)
    assert "Application Panel" not in alice.open("/").text


def test_a_session_that_is_kept_busy_ends_all_the_same(alice: Browser, clock: StillClock) -> None:
    for _ in range(15):
        clock.advance(minutes=47)
        assert "Application Panel" in alice.open("/").text
    clock.advance(minutes=15)
    assert "Application Panel" not in alice.open("/").text


def test_the_password_is_kept_as_an_argon2_hash_only(database: Database) -> None:
    with database.reading() as session:
        hashes = session.execute(text("SELECT password_hash FROM administrator")).scalars().all()
    assert len(hashes) == 3
    assert all(one.startswith("$argon2id$") and PASSWORD not in one for one in hashes)


def test_only_the_hash_of_a_session_token_is_kept(alice: Browser, database: Database) -> None:
    token = alice.client.cookies[SESSION]
    with database.reading() as session:
        kept = session.execute(text("SELECT token_hash FROM administrator_session")).scalars().all()
    assert len(kept) == 1
    assert token not in kept[0]


def assert_signed_out(app: FastAPI, token: str) -> None:
    other = Browser(app)
    other.client.cookies.set(SESSION, token)
    assert "Application Panel" not in other.open("/").text
