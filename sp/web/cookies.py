"""Our cookies: the session's and the browser's.

Owns names and flags. Never reads what a token stands for.
"""

from __future__ import annotations

import secrets

from fastapi import Request, Response

from sp.settings import Settings

SESSION = "virtual_office_session"
BROWSER = "virtual_office_browser"
REQUESTS = "virtual_office_requests"  # what the sign-ins that this browser began are bound to
REQUESTS_HERE = "virtual_office_requests_here"  # the same, for browsers and programs that drop the other one
_TOKEN_BYTES = 32


def new_token() -> str:
    """An unguessable token of 256 bits."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def cookie_name(settings: Settings, name: str) -> str:
    """On https a `__Host-` name, which no other host or path can plant (RFC 6265bis 4.1.3.2)."""
    return f"__Host-{name}" if settings.secure_cookies else name


def read_cookie(request: Request, settings: Settings, name: str) -> str:
    return request.cookies.get(cookie_name(settings, name), "")


def set_cookie(response: Response, settings: Settings, name: str, token: str) -> None:
    response.set_cookie(
        cookie_name(settings, name),
        token,
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
        path="/",
    )


def clear_cookie(response: Response, settings: Settings, name: str) -> None:
    response.delete_cookie(
        cookie_name(settings, name), httponly=True, samesite="lax", secure=settings.secure_cookies, path="/"
    )


def request_token(request: Request, settings: Settings) -> str:
    """The token that this browser's pending requests are bound to, or ""."""
    return read_cookie(request, settings, REQUESTS) or read_cookie(request, settings, REQUESTS_HERE)


def set_request_token(response: Response, settings: Settings, token: str) -> None:
    """Keep the token where the identity provider's POST brings it along, which takes SameSite=None and so Secure.

    Browsers take a Secure cookie from http on this computer only, and programs not even there. So on http it has a
    twin of the common kind, which arrives once the form is posted again from a page of ours (see `sp.web.sso`).
    """
    name = cookie_name(settings, REQUESTS)
    response.set_cookie(name, token, httponly=True, samesite="none", secure=True, path="/")
    if not settings.secure_cookies:
        set_cookie(response, settings, REQUESTS_HERE, token)
