"""The "Success" window after a redirect.

Owns the few texts it may show: the cookie carries a key only, so nobody can put words on our page.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from sp.settings import Settings

COOKIE = "virtual_office_flash"


@dataclass(frozen=True, slots=True)
class Flash:
    title: str
    text: str


_TEXTS = {
    "authentication-saved": Flash("Success", "The authentication method has been saved."),
    "settings-saved": Flash("Success", "The SAML settings have been saved."),
    "requests-saved": Flash("Success", "The options of the sign-in requests have been saved."),
    "certificate-removed": Flash("Success", "The certificate has been removed."),
    "certificate-added": Flash("Success", "The certificate is trusted from now on."),
    "certificate-retired": Flash("Success", "The certificate is trusted no longer. It can be brought back."),
    "metadata-imported": Flash("Success", "The metadata has been taken over."),
    "metadata-followed": Flash("Success", "The metadata has been taken over, and is read again by itself."),
    "metadata-asked": Flash("Success", "The metadata has been read again. What came of it is below."),
    "metadata-left": Flash("Success", "The address is no longer followed. The settings stay as they are."),
    "metadata-confirmed": Flash("Success", "The change has been confirmed and saved."),
    "metadata-dismissed": Flash("Success", "The change has been dismissed. The settings stay as they are."),
    "settings-unchanged": Flash("Success", "Nothing was different, so no new version was made."),
    "rollover-begun": Flash("Success", "The next key has been published in our metadata."),
    "rollover-completed": Flash("Success", "The new key is in use, and the old one has been retired."),
    "token-revoked": Flash("Success", "The token has been revoked."),
    "profile-saved": Flash("Success", "The user profile has been saved."),
    "session-ended": Flash("Success", "The session has ended."),
    "sessions-of-user-ended": Flash("Success", "Every session of the user has ended."),
    "sessions-ended": Flash("Success", "Every session of this account's users has ended."),
    "sign-out-saved": Flash("Success", "The options of sign-out have been saved."),
    "user-disabled": Flash("Success", "The user has been disabled, and signed out everywhere."),
    "user-enabled": Flash("Success", "The user has been enabled."),
    "user-deleted": Flash("Success", "The user has been deleted, and signed out everywhere."),
}


def redirect_with_flash(url: str, key: str, settings: Settings) -> RedirectResponse:
    """A 303 to `url`, which shows the text of `key` once. Raises KeyError for a key without a text."""
    response = RedirectResponse(url, status_code=303)
    _ = _TEXTS[key]
    response.set_cookie(COOKIE, key, max_age=60, httponly=True, samesite="lax", secure=settings.secure_cookies)
    return response


def flash_of(request: Request) -> Flash | None:
    return _TEXTS.get(request.cookies.get(COOKIE, ""))


def forget_flash(request: Request, response: Response) -> None:
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE)
