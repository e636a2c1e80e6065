"""The choice of Single Sign On, remembered in the browser: which account, and under which name.

Owns the cookie. Never believes it: it says which identity provider to ask, and grants nothing.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from fastapi import Request, Response

from sp.flows.account_setup import is_slug
from sp.flows.sign_in_started_here import MAX_NAME
from sp.settings import Settings
from sp.web import cookies

COOKIE = "virtual_office_sso"
_YEAR = 365 * 24 * 60 * 60
_MAX_CHARACTERS = 2048


@dataclass(frozen=True, slots=True)
class Choice:
    slug: str
    name: str


def choice_of(request: Request, settings: Settings) -> Choice | None:
    """What was chosen in this browser, or None; also for a cookie that is not ours."""
    text = cookies.read_cookie(request, settings, COOKIE)
    if not text or len(text) > _MAX_CHARACTERS:
        return None
    try:
        match json.loads(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))):
            case [str() as slug, str() as name] if is_slug(slug) and name.isprintable() and len(name) <= MAX_NAME:
                return Choice(slug, name)
    except (ValueError, RecursionError):
        pass
    return None


def remember(response: Response, settings: Settings, choice: Choice) -> None:
    text = urlsafe_b64encode(json.dumps([choice.slug, choice.name], separators=(",", ":")).encode()).decode()
    response.set_cookie(
        cookies.cookie_name(settings, COOKIE),
        text.rstrip("="),
        max_age=_YEAR,
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
        path="/",
    )


def forget(response: Response, settings: Settings) -> None:
    cookies.clear_cookie(response, settings, COOKIE)
