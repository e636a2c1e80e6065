"""What every response carries, and what a page must not hold."""

from __future__ import annotations

import re

import pytest
from browser import Browser
from cast import ALICE

SAML_PAGE = "/account-manager/business/accounts/single-sign-on"
PAGES = [
    "/",
    "/account-manager",
    "/account-manager/business",
    "/account-manager/business/accounts",
    "/account-manager/business/accounts/privileges",
    SAML_PAGE,
    "/account-manager/business/phone-system",
    "/account-manager/business/billing",
    "/account-manager/business/orders",
    "/account-manager/nobodys",
    "/nothing-here",
    "/my-profile",
    "/sign-out",
]


@pytest.mark.parametrize("path", [*PAGES, "/healthz", "/static/css/tokens.css", "/static/nothing.css"])
def test_nobody_may_frame_or_feed_scripts_to_a_page(alice: Browser, path: str) -> None:
    headers = alice.open(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_kept_by_no_cache(alice: Browser, path: str) -> None:
    assert alice.open(path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_no_script_or_style_stands_in_a_page(alice: Browser, path: str) -> None:
    page = alice.open(path).text
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "<style" not in page
    assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_elsewhere(alice: Browser, path: str) -> None:
    alice.open(path)
    assert all(address.startswith(("/", "#", "?")) for address in alice.html.xpath("//@src | //link/@href | //a/@href"))


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_no_page_of_the_framework_is_left_open(browser: Browser, path: str) -> None:
    assert browser.open(path).status_code == 404


def test_the_sign_in_page_carries_them_too(browser: Browser) -> None:
    assert "frame-ancestors 'none'" in browser.open("/").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in browser.sign_in(ALICE.email, "wrong").headers["content-security-policy"]
