"""Password attempts are counted by address and username, before the password is looked at."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from browser import PASSWORD, WRONG_PASSWORD, Browser, StillClock
from cast import ALICE, BRITTA, NOW
from fastapi import FastAPI

from sp.flows.sign_in import Credentials, Refusal, sign_in_with_password
from sp.web.cookies import new_token
from sp.web.state import Service

ATTEMPTS = 3


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    return make_app(password_attempts=ATTEMPTS)


def guess(browser: Browser, times: int) -> None:
    for _ in range(times):
        assert browser.sign_in(ALICE.email, WRONG_PASSWORD).status_code == 403


def test_mallory_has_so_many_guesses_in_a_window_and_no_more(browser: Browser) -> None:
    guess(browser, ATTEMPTS)
    page = browser.sign_in(ALICE.email)
    assert page.status_code == 429
    assert page.headers["retry-after"] == "300"
    assert "Too many wrong passwords" in browser.text()


def test_guesses_for_one_username_lock_out_nobody_else_behind_the_same_proxy(browser: Browser) -> None:
    guess(browser, ATTEMPTS)
    assert browser.sign_in(ALICE.email).status_code == 429
    assert "My profile" in browser.sign_in(BRITTA.email).text


def test_trying_one_username_without_end_locks_out_nobody_else_either(service: Service) -> None:
    """Once that username has no guesses left, no password is looked at, so the address need not pay for it."""

    def attempt(username: str, password: str) -> Refusal | None:
        credentials = Credentials(username, password, "192.0.2.7")
        return sign_in_with_password(service.database, service.settings, NOW, credentials, new_token())

    outcomes = [attempt(ALICE.email, WRONG_PASSWORD) for _ in range(10 * ATTEMPTS + 1)]
    assert outcomes[ATTEMPTS:] == [Refusal.THROTTLED] * (len(outcomes) - ATTEMPTS)
    assert attempt(BRITTA.email, PASSWORD) is None


def test_guesses_for_many_usernames_are_bounded_for_the_address(browser: Browser) -> None:
    for number in range(10 * ATTEMPTS):
        assert browser.sign_in(f"user{number}@contoso.example", WRONG_PASSWORD).status_code == 403
    assert browser.sign_in(BRITTA.email).status_code == 429


def test_the_window_ends(browser: Browser, clock: StillClock) -> None:
    guess(browser, ATTEMPTS)
    clock.advance(seconds=299)
    assert browser.sign_in(ALICE.email).status_code == 429
    clock.advance(seconds=1)
    assert "Virtual Office Account Mgr" in browser.sign_in(ALICE.email).text


def test_another_address_is_not_throttled(app: FastAPI, browser: Browser) -> None:
    guess(browser, ATTEMPTS)
    assert "Virtual Office Account Mgr" in Browser(app, address="192.0.2.7").sign_in(ALICE.email).text


def test_another_address_of_the_same_ipv6_network_is(app: FastAPI) -> None:
    guess(Browser(app, address="2001:db8::1"), ATTEMPTS)
    assert Browser(app, address="2001:db8::ffff:1").sign_in(ALICE.email).status_code == 429
    assert Browser(app, address="2001:db8:0:1::1").sign_in(ALICE.email).status_code == 200


def test_a_right_password_does_not_buy_mallory_more_guesses(browser: Browser) -> None:
    """Whoever has a password of their own could otherwise guess without end, signing in after every other guess."""
    guess(browser, ATTEMPTS - 1)
    assert "My profile" in browser.sign_in(BRITTA.email).text
    browser.submit("/sign-out")
    guess(browser, 1)
    assert browser.sign_in(ALICE.email).status_code == 429


def test_right_passwords_are_not_counted(browser: Browser) -> None:
    for _ in range(ATTEMPTS + 1):
        assert "Virtual Office Account Mgr" in browser.sign_in(ALICE.email).text
        browser.submit("/sign-out")


def test_a_forwarded_header_does_not_change_the_address(browser: Browser) -> None:
    for number in range(ATTEMPTS):
        browser.client.headers["x-forwarded-for"] = f"192.0.2.{number}"
        browser.sign_in(ALICE.email, WRONG_PASSWORD)
    assert browser.sign_in(ALICE.email).status_code == 429


def test_guesses_sent_at_once_are_counted_each(service: Service) -> None:
    def attempt(password: str) -> Refusal | None:
        credentials = Credentials(ALICE.email, password, "192.0.2.7")
        return sign_in_with_password(service.database, service.settings, NOW, credentials, new_token())

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, [WRONG_PASSWORD] * 8))
    assert outcomes.count(Refusal.WRONG) == ATTEMPTS
    assert attempt(PASSWORD) is Refusal.THROTTLED
