"""What somebody sees when a request fails: a sentence and the next step, never the inside."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from browser import Browser
from fastapi import FastAPI
from sqlalchemy import text

from sp.store.engine import Database


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, as values: a program that sets no format up would draw every traceback with its variables."""
    with structlog.testing.capture_logs() as captured:
        yield captured


@pytest.fixture
def broken(app: FastAPI) -> FastAPI:
    """The service with one page that raises."""

    @app.get("/broken")
    def page() -> None:
        raise RuntimeError("the secret inside")

    return app


@pytest.mark.usefixtures("broken")
def test_an_unexpected_error_shows_a_reference_and_nothing_else(
    alice: Browser, logs: list[MutableMapping[str, Any]]
) -> None:
    page = alice.open("/broken")
    assert page.status_code == 500
    assert "Something broke on our side" in page.text
    assert not re.search(r"Traceback|RuntimeError|the secret inside|\.py\b", page.text)
    [entry] = [log for log in logs if log["event"] == "unexpected_error"]
    assert entry["reference"] in page.text


@pytest.mark.usefixtures("broken")
def test_an_unexpected_error_carries_the_security_headers(browser: Browser) -> None:
    headers = browser.open("/broken").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_a_database_that_breaks_still_leaves_a_page(alice: Browser, database: Database) -> None:
    with database.writing() as session:
        session.execute(text("DROP TABLE administrator_session"))
    page = alice.open("/account-manager")
    assert page.status_code == 500
    assert "Something broke on our side" in page.text
    assert not re.search(r"sqlite|SELECT|administrator_session", page.text)


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/nothing-here", 404, "There is no such page"),
        ("GET", "/static/../../etc/passwd", 404, "There is no such page"),
        ("DELETE", "/", 405, "This address does not take that kind of request"),
        ("GET", "/sign-out", 405, "This address does not take that kind of request"),
    ],
)
def test_other_errors_have_a_page_too(browser: Browser, method: str, path: str, status: int, sentence: str) -> None:
    browser.page = browser.client.request(method, path)
    assert browser.page.status_code == status
    assert sentence in browser.text()
    assert browser.html.xpath("//main//a[@href='/']")


def test_a_value_that_is_too_long_is_named_and_not_repeated(browser: Browser) -> None:
    page = browser.sign_in("x" * 257)
    assert page.status_code == 422
    assert "username" in browser.text()
    assert "xxx" not in page.text


def test_an_address_on_an_error_page_is_only_text(browser: Browser) -> None:
    page = browser.open("/<script>alert(1)</script>")
    assert "<script>alert" not in page.text


@pytest.mark.usefixtures("broken")
def test_a_program_that_asks_for_json_is_told_in_json(browser: Browser, logs: list[MutableMapping[str, Any]]) -> None:
    answer = browser.client.get("/broken", headers={"accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    [entry] = [log for log in logs if log["event"] == "unexpected_error"]
    assert answer.json() == {
        "type": "about:blank",
        "title": "Something broke on our side",
        "status": 500,
        "detail": "Try again; the log names the cause under this reference.",
        "reference": entry["reference"],
    }


def test_a_browser_that_takes_json_too_gets_a_page(browser: Browser) -> None:
    answer = browser.client.get("/nothing-here", headers={"accept": "text/html, application/json"})
    assert answer.headers["content-type"].startswith("text/html")
