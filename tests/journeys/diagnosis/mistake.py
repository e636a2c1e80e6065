"""A mistake that an administrator makes: how it comes about, and what the refusal must tell.

Owns how a mistake is told and played at the assertion consumer service. Never holds a mistake itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from browser import Browser
from cast import BRITTA, Person
from fastapi import FastAPI
from httpx2 import Response
from profiles import profile
from responses import CLAIMS, Idp, post_field
from sqlmodel import Session

from sp.flows import account_setup
from sp.flows.account_setup import Saved, SsoDraft
from sp.models import Account, User
from sp.store import accounts, users
from sp.web.state import Service

TENANT = "0f3a9a52-7c1e-4b6f-9d57-3f2f1f0c9a11"
ENTRA = Idp(f"https://sts.windows.net/{TENANT}/", "entra")
ENTRA_SIGN_IN = f"https://login.microsoftonline.com/{TENANT}/saml2"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Scene:
    """The service, with Contoso's Business account to set up, and a browser."""

    app: FastAPI

    @property
    def service(self) -> Service:
        found: Service = self.app.state.service
        return found

    def set_up(self, *, choosing_method: bool = False, **settings: Any) -> None:
        """Save Contoso's Single Sign On settings; by step one alone when an administrator is `choosing_method`."""
        with self.service.database.writing() as session:
            account = account_named(session, "business")
            draft = replace(SsoDraft(single_sign_on=True), **settings)
            saved = account_setup.save_sso_settings(
                session,
                self.service.settings,
                account,
                draft,
                saved_by="alice",
                now=self.service.now(),
                choosing_method=choosing_method,
            )
        assert isinstance(saved, Saved), saved

    def add_user(self, person: Person = BRITTA, slug: str = "business", **values: Any) -> User:
        with self.service.database.writing() as session:
            return users.store_user(session, profile(account_named(session, slug), person, **values))


def account_named(session: Session, slug: str) -> Account:
    found = accounts.account_by_slug(session, slug)
    assert found is not None
    return found


Prepare = Callable[[Scene], object]
Send = Callable[[Browser, bytes, Mapping[str, str]], Response]


def nothing(_scene: Scene) -> None:
    """Most mistakes need no preparation."""


def post(browser: Browser, message: bytes, headers: Mapping[str, str]) -> Response:
    """The HTTP-POST binding, as it should be."""
    return post_value(browser, post_field(message), headers)


def post_value(browser: Browser, value: str, headers: Mapping[str, str], name: str = "SAMLResponse") -> Response:
    return browser.client.post("/saml2", content=urlencode({name: value}), headers={**FORM, **headers})


@dataclass(frozen=True)
class Mistake:
    """One mistake and what must be told of it.

    `code` is the check that fails first and `also` the ones that fail with it. `message` are phrases of the first
    sentence, the value received and the one expected among them; `remedy` phrases of what to change and where.

    `response` are arguments of `Idp.response`; `account` is what the settings differ in from ones that would do,
    `service` the service's own settings; `prepare` is what happened before; `send` how the message comes. `signer`
    makes the message in place of `idp`, which the account trusts. A message made `by_hand`, by code of somebody's own,
    has no menu to name.
    """

    id: str
    story: str
    code: str
    message: tuple[str, ...]
    remedy: tuple[str, ...]
    also: tuple[str, ...] = ()
    response: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    service: Mapping[str, Any] = field(default_factory=dict)
    prepare: Prepare = nothing
    send: Send = post
    idp: Idp = ENTRA
    signer: Idp | None = None
    sign_in_url: str = ENTRA_SIGN_IN
    by_hand: bool = False

    def set_up(self, scene: Scene, **changes: Any) -> None:
        sound = {
            "issuer": self.idp.entity_id,
            "certificates": (self.idp.certificate,),
            "sign_in_url": self.sign_in_url,
        }
        scene.set_up(**{**sound, **changes})

    def made(self) -> bytes:
        return (self.signer or self.idp).response(**self.response)

    def told(self, scene: Scene, accept: str) -> Response:
        """What the service answers to the mistake, made anew."""
        return self.send(Browser(scene.app), self.made(), {"Accept": accept})


def email(*values: str) -> dict[str, tuple[str, ...]]:
    """Britta's attributes with other e-mail addresses."""
    return {CLAIMS.first_name: ("Britta",), CLAIMS.last_name: ("Simon",), CLAIMS.email: values}
