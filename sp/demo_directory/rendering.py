"""Owns turning a template and its context into an answer, with the token that its forms carry.

Never reads the database: whatever a page shows is passed in.
"""

import hmac
import re
import secrets
from datetime import datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sp.demo_directory.places import templates_folder

FORM_COOKIE = "demo_directory_form"
_NONCE = re.compile(r"[A-Za-z0-9_-]{32}")

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


class Pages:
    """Renders the demo directory's templates; `always` is the context that every page has."""

    def __init__(self, form_secret: str, **always: Any) -> None:
        self._secret = form_secret.encode()
        self._always = always

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        post_to: str | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """Answer with `demo_directory/<template>`; `post_to` is a further origin its form may be sent to."""
        known = request.cookies.get(FORM_COOKIE, "")
        nonce = known if _NONCE.fullmatch(known) else secrets.token_urlsafe(24)
        text = (
            _environment()
            .get_template(f"demo_directory/{template}")
            .render(self._always, form_token=self._form_token(nonce), path=request.url.path, **context)
        )
        response = HTMLResponse(text, status_code=status)
        policy = f"{CONTENT_POLICY} {post_to}" if post_to else CONTENT_POLICY
        response.headers["Content-Security-Policy"] = policy
        if nonce != known:
            response.set_cookie(FORM_COOKIE, nonce, httponly=True, samesite="lax")
        return response

    def form_token_matches(self, request: Request, token: str) -> bool:
        """Whether a form came from a page that this browser was given."""
        nonce = request.cookies.get(FORM_COOKIE, "")
        if not _NONCE.fullmatch(nonce):
            return False
        return hmac.compare_digest(self._form_token(nonce).encode(), token.encode())

    def _form_token(self, nonce: str) -> str:
        return hmac.digest(self._secret, nonce.encode(), "sha256").hex()


@cache
def _environment() -> Environment:
    """The compiled templates, once for the process."""
    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["exact_time"] = _exact_time
    return environment


def _exact_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
