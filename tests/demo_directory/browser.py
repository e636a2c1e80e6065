"""Owns the cast's browsers: they keep cookies, follow redirects and fill in the forms that pages show.

Never opens a port: the pages are called in this process.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from fastapi import FastAPI
from lxml import html
from starlette.testclient import TestClient

BASE_URL = "http://127.0.0.1:8001"
ACS_URL = "http://localhost:8000/saml2"
TUTORIAL_REPLY_URL = "https://sso.8x8.com/saml2"


@dataclass
class StillClock:
    """A clock that moves only when a test says so."""

    now: datetime = field(default_factory=lambda: datetime(2026, 3, 2, 9, 30, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class Browser:
    """Somebody's browser: keeps cookies, follows redirects, fills in the form that a page shows."""

    def __init__(self, app: FastAPI) -> None:
        self.client = TestClient(app, base_url=BASE_URL, raise_server_exceptions=False)
        # One event loop for all browsers of an application: starting one per request costs more than a page.
        self.client.portal = getattr(app.state, "portal", None)
        self.page = self.client.get("/")

    def open(self, path: str) -> httpx2.Response:
        self.page = self.client.get(path)
        return self.page

    def submit(self, to: str | None = None, /, **fields: str | list[str]) -> httpx2.Response:
        """Send the page's form (its first POST form, or the one or the button that leads `to`)."""
        form = self._form(to)
        data: dict[str, str | list[str]] = {name: value for name, value in form.form_values() if isinstance(value, str)}
        self.page = self.client.post(to or form.action, data=data | fields)
        return self.page

    def text(self) -> str:
        return " ".join(parsed(self.page.text).text_content().split())

    def value(self, name: str) -> str:
        """What the field with this id shows."""
        found = parsed(self.page.text).get_element_by_id(name)
        return str(found.get("value"))

    def _form(self, to: str | None) -> Any:
        page = parsed(self.page.text)
        commands = page.xpath("//button[@formaction=$to]", to=to or "")
        for form in page.forms:
            if form.method == "POST" and (to is None or form.action == to or commands):
                return form
        raise AssertionError(f"no form to {to} on this page")


def parsed(page: str) -> Any:
    """A page as lxml reads HTML; its stubs know nothing of forms."""
    return html.document_fromstring(page)
