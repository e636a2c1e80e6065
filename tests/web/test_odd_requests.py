"""Odd requests that once broke a page or held the service up: each gets a clear answer below 500."""

from __future__ import annotations

import time

import pytest
from browser import PASSWORD, Browser
from cast import ALICE
from sqlalchemy import text

from sp.flows.passwords import hash_password
from sp.store import administrators
from sp.web.state import Service

LOG = "/account-manager/business/accounts/single-sign-on/sign-in-log"


@pytest.mark.parametrize("charset", ["punycode", "unicode_escape", "utf-7", "idna", '"utf-16"'])
def test_a_form_in_another_character_set_is_not_read(browser: Browser, charset: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\na\r\n--x--\r\n'
    content_type = f"multipart/form-data; boundary=x; charset={charset}"
    answer = browser.client.post("/sso/login/", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 415


def test_a_form_that_says_utf_8_is_read(browser: Browser) -> None:
    browser.open("/")
    fields = {"username": ALICE.email, "password": PASSWORD, "csrf_token": browser.token}
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
    assert "Application Panel" in browser.post("/sso/login/", data=fields, headers=headers).text


@pytest.mark.parametrize("origin", ["http://[", "null", "http://evil.example", "//"])
def test_an_origin_that_is_no_address_is_another_origin(browser: Browser, origin: str) -> None:
    browser.open("/")
    fields = {"username": ALICE.email, "password": PASSWORD, "csrf_token": browser.token}
    assert browser.post("/sso/login/", data=fields, headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/account-manager/%00",
        "/account-manager/%00/accounts",
        f"{LOG}/%00",
        f"{LOG}/AAAA%00AAA",
    ],
)
def test_a_nul_in_an_address_is_no_address(alice: Browser, path: str) -> None:
    assert alice.open(path).status_code == 404


@pytest.mark.parametrize("moment", ["0001-01-01", "9999-12-31T23:59", "0001-01-01T00:00:00+14:00", "yesterday"])
@pytest.mark.parametrize("field", ["since", "until"])
def test_a_time_out_of_reach_is_refused(alice: Browser, field: str, moment: str) -> None:
    assert alice.open(LOG, params={field: moment}).status_code == 422


def test_a_new_password_ends_the_sessions_of_the_old_one(alice: Browser, service: Service) -> None:
    with service.database.writing() as session:
        administrator = administrators.administrator_named(session, ALICE.email)
        assert administrator is not None
        administrators.set_password(session, administrator, hash_password("Another-1-password"))
    assert "Application Panel" not in alice.open("/").text


def test_a_database_that_is_locked_answers_with_a_sentence_and_when_to_come_back(
    browser: Browser, service: Service
) -> None:
    browser.open("/")
    with service.database.writing() as session:
        session.execute(text("SELECT 1"))
        for connection in (service.database.engine.raw_connection(),):
            connection.driver_connection.execute("PRAGMA busy_timeout=50")  # type: ignore[union-attr]
            connection.close()
        begun = time.monotonic()
        answer = browser.submit("/sso/login/", username=ALICE.email, password=PASSWORD)
    assert time.monotonic() - begun < 9
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "Traceback" not in answer.text
