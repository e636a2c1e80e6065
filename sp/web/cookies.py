"""Our cookies: the session's and the browser's.

Owns names and flags. Never reads what a token stands for.
"""

from __future__ import annotations

import secrets

from fastapi import Request, Response

from sp.settings import Settings

SESSION = "virtual_office_session"
BROWSER = "virtual_office_browser"
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
