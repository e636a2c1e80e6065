"""The cast's browsers for the service provider's pages: they keep cookies and fill in the forms that pages show.

Owns what a browser does without script. Never opens a port: the pages are called in this process.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
from cast import BASE_URL, NOW
from fastapi import FastAPI
from lxml import html
from starlette.testclient import TestClient

PASSWORD = "Right-1-password"
WRONG_PASSWORD = "Wrong-1-password"


@dataclass
class StillClock:
    """A clock that moves only when a story says so."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


class Browser:
    """Somebody's browser. It follows redirects unless told otherwise; `page` is what it shows."""

    page: httpx2.Response

    def __init__(self, app: FastAPI, *, address: str = "127.0.0.1", base_url: str = BASE_URL) -> None:
        self.client = TestClient(
            app, base_url=base_url, raise_server_exceptions=False, client=(address, 50000), follow_redirects=True
        )

    def open(self, path: str, **options: Any) -> httpx2.Response:
        self.page = self.client.get(path, **options)
        return self.page

    def post(self, path: str, **options: Any) -> httpx2.Response:
        self.page = self.client.post(path, **options)
        return self.page

    def submit(self, to: str, /, *, files: dict[str, Any] | None = None, **fields: str | None) -> httpx2.Response:
        """Send the page's form that leads `to`, with `fields` typed over what it shows; None unticks a box."""
        data = {name: value for name, value in self.form(to).form_values() if isinstance(value, str)} | fields
        typed = {name: value for name, value in data.items() if value is not None}
        return self.post(to, data=typed, files=files)

    def sign_in(self, username: str, password: str = PASSWORD, *, after: str = "/") -> httpx2.Response:
        self.open(after)
        return self.submit("/sso/login/", username=username, password=password)

    def form(self, to: str) -> Any:
        for form in self.html.forms:
            if form.method == "POST" and form.action == to:
                return form
        raise AssertionError(f"no form to {to} on this page: {[form.action for form in self.html.forms]}")

    @property
    def html(self) -> Any:
        return html.document_fromstring(self.page.text)

    @property
    def token(self) -> str:
        """The form token that the page carries."""
        found = self.html.xpath("//input[@name='csrf_token']/@value")
        return str(found[0])

    def text(self) -> str:
        return " ".join(self.html.text_content().split())

    def error_at(self, name: str) -> str:
        """The error beside the field, or ""."""
        found = self.html.xpath("//*[@id=$id]", id=f"error-{name}")
        return " ".join(found[0].text_content().split()).removeprefix("Error: ") if found else ""

    def value_of(self, name: str) -> str:
        """What the field shows."""
        return str(self.html.get_element_by_id(f"field-{name}").value)
