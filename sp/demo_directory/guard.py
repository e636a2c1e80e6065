"""Owns what every request must satisfy and what every answer carries: host, size, form token, headers.

Never looks at who is signed in.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from sp.demo_directory.desk import AtDesk, get_desk
from sp.demo_directory.problems import problem_page
from sp.demo_directory.rendering import CONTENT_POLICY
from sp.demo_directory.reply_url import loopback_problem

_MAX_BODY = 128 * 1024  # a certificate has at most 64 KiB, and an AuthnRequest less
_MAX_QUERY = 64 * 1024  # an AuthnRequest by the Redirect binding
_MAX_PARAMETERS = 100

_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class FormExpiredError(Exception):
    """A form came without the token of a page that this browser was given."""


def check_form_token(request: Request, desk: AtDesk, form_token: Annotated[str, Form()] = "") -> None:
    """Raise FormExpiredError for a form that another site made the browser send."""
    if not desk.pages.form_token_matches(request, form_token):
        raise FormExpiredError


FROM_OUR_PAGE = [Depends(check_form_token)]


async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Let a request through only if it is meant for this address and of a sensible size."""
    refusal = _misdirected(request) or _too_long(request) or _too_large(request)
    response = refusal or await call_next(request)
    if request.url.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-cache")
    return with_headers(response)


def with_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _misdirected(request: Request) -> Response | None:
    """Without this, a web page whose name is made to resolve to 127.0.0.1 could use the portal."""
    desk = get_desk(request)
    host = request.headers.get("host", "")
    if host == desk.settings.base_url.partition("://")[2]:
        return None
    if request.method in {"GET", "HEAD"} and loopback_problem(f"http://{host}") is None:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{desk.settings.base_url}{request.url.path}{query}")
    sentence = f"The demo directory only answers at {desk.settings.base_url}. Open it there."
    return problem_page(request, 421, "Another address", sentence)


def _too_long(request: Request) -> Response | None:
    query: bytes = request.scope["query_string"]
    if len(query) <= _MAX_QUERY and query.count(b"&") < _MAX_PARAMETERS:
        return None
    sentence = f"The query has at most {_MAX_QUERY // 1024} KiB and {_MAX_PARAMETERS} parameters."
    return problem_page(request, 414, "The address is too long", sentence)


def _too_large(request: Request) -> Response | None:
    if request.method not in {"POST", "PUT", "PATCH"}:
        return None
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) <= _MAX_BODY:
        return None
    sentence = f"The form is larger than {_MAX_BODY // 1024} KiB, or does not say how large it is."
    return problem_page(request, 413, "Too large", sentence)
