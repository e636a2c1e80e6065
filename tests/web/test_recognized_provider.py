"""The page of a refused sign-in names the identity provider that was recognized, and only where details are shown."""

from __future__ import annotations

from collections.abc import Callable

from browser import Browser
from fastapi import FastAPI
from responses import Idp, post_field

KEYCLOAK_ID = "ID_0f3a9a52-7c1e-4b6f-9d57-3f2f1f0c9a11"


def refused(browser: Browser, idp: Idp, response_id: str | None = None) -> str:
    xml = idp.response(audience="urn:other", response_id=response_id)
    return str(browser.client.post("/saml2", data={"SAMLResponse": post_field(xml)}).text)


def test_the_page_names_it(browser: Browser, connected: Idp) -> None:
    page = refused(browser, connected, response_id=KEYCLOAK_ID)
    assert "Recognized" in page
    assert "Keycloak" in page
    assert "Clients → your client → Settings → Client ID" in page


def test_nobody_in_particular_is_not_named(browser: Browser, connected: Idp) -> None:
    assert "Recognized" not in refused(browser, connected)


def test_away_from_loopback_it_is_not_told(make_app: Callable[..., FastAPI], idp: Idp) -> None:
    away = Browser(make_app(base_url="https://virtual-office.example"))
    page = refused(away, idp, response_id=KEYCLOAK_ID)
    assert "Recognized" not in page
    assert "Keycloak" not in page
