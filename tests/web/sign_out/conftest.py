"""Britta signed in with SAML, at an account whose identity provider has a sign-out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attacks.traces import configure
from browser import Browser
from cast import CONTOSO_ISSUER
from fastapi import FastAPI
from responses import Idp, post_field

from sp.flows.account_setup import Saved
from sp.web.state import Service

SIGN_OUT = "https://idp.contoso.example/sign-out"


@pytest.fixture
def connect(service: Service) -> Callable[..., Idp]:
    """Contoso's identity provider, with the options of sign-out that a story names."""

    def connected(**changes: Any) -> Idp:
        idp = Idp.make(CONTOSO_ISSUER)
        assert isinstance(configure(service, "business", idp, **{"sign_out_url": SIGN_OUT} | changes), Saved)
        return idp

    return connected


@pytest.fixture
def sign_in(app: FastAPI) -> Callable[..., Browser]:
    def opened(idp: Idp, **given: Any) -> Browser:
        browser = Browser(app)
        given = {"now": app.state.service.now(), "assertion_id": "_one"} | given
        browser.post("/saml2", data={"SAMLResponse": post_field(idp.response(**given))})
        browser.open("/my-profile")
        assert browser.page.status_code == 200
        return browser

    return opened
