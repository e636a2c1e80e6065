"""Somebody's browser without script, across both sides: it keeps cookies, follows redirects and presses buttons.

Owns what a browser does by itself. Never judges what a page says, and never makes up a field.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import httpx
from cast import Person
from lxml import html
from processes.program import Installation
from simplesamlphp.configuration import PASSWORD


@dataclass(frozen=True, slots=True)
class Form:
    """A form as the page shows it: where it goes, and its fields."""

    action: str
    fields: dict[str, str]

    @property
    def message(self) -> str:
        """The SAML message in it, as XML."""
        (field,) = {"SAMLRequest", "SAMLResponse"} & self.fields.keys()
        return base64.b64decode(self.fields[field]).decode()

    def typed(self, **fields: str) -> Form:
        return replace(self, fields=self.fields | fields)


class Visitor:
    """`page` is what the browser shows."""

    page: httpx.Response

    def __init__(self, cookies: httpx.Cookies | None = None) -> None:
        self._client = httpx.Client(follow_redirects=True, trust_env=False, cookies=cookies)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    @property
    def cookies(self) -> httpx.Cookies:
        """A copy of those of both sides, as they are now."""
        return httpx.Cookies(self._client.cookies)

    def open(self, url: str) -> httpx.Response:
        self.page = self._client.get(url)
        return self.page

    def send(self, form: Form) -> httpx.Response:
        self.page = self._client.post(form.action, data=form.fields)
        return self.page

    def send_for_json(self, form: Form) -> Any:
        """Post the form as a program does, and the verdict that it gets."""
        return self._client.post(form.action, data=form.fields, headers={"Accept": "application/json"}).json()

    def form_with(self, field: str) -> Form:
        """The page's form that has this field. Raises AssertionError with the page when there is none."""
        return self._form(lambda form: field in form.fields, f"form with {field}")

    def form_to(self, action: str) -> Form:
        """The page's form that goes there. Raises AssertionError with the page when there is none."""
        return self._form(lambda form: self._action(form) == action, f"form to {action}")

    def carry_on(self) -> None:
        """Go where pages go by themselves: to another address, or with the message that they hold."""
        while True:
            if onward := self.html.xpath("string(//meta[@http-equiv='refresh']/@content)").partition("url=")[2]:
                self.open(urljoin(self.url, onward))
            elif field := next(filter(self.has_form_with, ("SAMLRequest", "SAMLResponse")), ""):
                self.send(self.form_with(field))
            else:
                return

    def sign_out_of(self, service: Installation) -> None:
        """Press Sign Out and go wherever that leads."""
        self.open(f"{service.base_url}/my-profile")
        self.send(self.form_to(f"{service.base_url}/sign-out"))
        self.carry_on()

    def has_form_with(self, field: str) -> bool:
        return any(field in form.fields for form in self.html.forms)

    def _form(self, wanted: Callable[[Any], bool], called: str) -> Form:
        for form in filter(wanted, self.html.forms):
            fields = {name: value for name, value in form.form_values() if isinstance(value, str)}
            return Form(self._action(form), fields)
        raise AssertionError(f"no {called} on {self.url}:\n{self.text}")

    def _action(self, form: Any) -> str:
        return urljoin(self.url, str(form.action or ""))

    @property
    def url(self) -> str:
        return str(self.page.url)

    @property
    def html(self) -> Any:
        return html.document_fromstring(self.page.content)

    @property
    def heading(self) -> str:
        return " ".join(self.html.xpath("string(//h1)").split())

    @property
    def text(self) -> str:
        return " ".join(self.html.text_content().split())


def log_in(visitor: Visitor, person: Person, password: str = PASSWORD) -> None:
    """On SimpleSAMLphp's page: the user name and the password. What follows is its answer, a form or a redirect."""
    visitor.send(visitor.form_with("password").typed(username=person.email, password=password))


def sign_in(visitor: Visitor, url: str, person: Person) -> Form:
    """Go to `url`, which leads to SimpleSAMLphp; log in there; the form that its answer would be posted with."""
    visitor.open(url)
    log_in(visitor, person)
    return visitor.form_with("SAMLResponse")
