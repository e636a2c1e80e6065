"""Form tokens: a form is believed only when it comes from a page of ours in the same browser.

Owns making and comparing the token. Never guards the assertion consumer service, whose posts come from elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator

from fastapi import Request

from sp.hosts import is_own_origin
from sp.web import cookies
from sp.web.errors import PageError
from sp.web.state import service_of

FIELD = "csrf_token"


def form_token(request: Request) -> str:
    """The token for forms in this browser: bound to the session when there is one, so it ends with it."""
    settings = service_of(request).settings
    key = cookies.read_cookie(request, settings, cookies.SESSION) or browser_token(request)
    return hmac.new(key.encode(), b"form", hashlib.sha256).hexdigest()


def browser_token(request: Request) -> str:
    """The browser's own cookie, or the one that this response will set."""
    known = cookies.read_cookie(request, service_of(request).settings, cookies.BROWSER)
    if known:
        return known
    if not hasattr(request.state, "new_browser_token"):
        request.state.new_browser_token = cookies.new_token()
    token: str = request.state.new_browser_token
    return token


async def require_form_token(request: Request) -> AsyncIterator[None]:
    """Dependency of every page that changes something. Raises PageError (403) when the token is not ours.

    Closes the form's files when the page is done.
    """
    try:
        await _check(request)
        yield
    finally:
        await request.close()


async def _check(request: Request) -> None:
    if not _same_origin(request):
        raise PageError(403, "This form came from another site", "Open the page here and send the form again.")
    if not _has_cookie(request):
        raise PageError(
            403, "Your browser sent no cookie", "Allow cookies for this site, reload the page and try again."
        )
    form = await request.form()
    received = form.get(FIELD)
    if not isinstance(received, str) or not hmac.compare_digest(received.encode(), form_token(request).encode()):
        raise PageError(
            403,
            "This form is out of date",
            "You signed in or out in the meantime. Go back, reload the page and try again.",
        )


def _has_cookie(request: Request) -> bool:
    settings = service_of(request).settings
    return any(cookies.read_cookie(request, settings, name) for name in (cookies.SESSION, cookies.BROWSER))


def _same_origin(request: Request) -> bool:
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or is_own_origin(service_of(request).settings, origin)
