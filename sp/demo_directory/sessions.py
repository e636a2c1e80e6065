"""Owns who is signed in to the Access Panel, and the way to the sign-in page and back.

Never checks a password.
"""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from sp.demo_directory.desk import AtDesk
from sp.demo_directory.store import SignedIn

PANEL = "/access-panel"
# Cookies ignore ports, so the name must not be one that the service provider uses on another port.
SESSION_COOKIE = "demo_directory_session"

_OWN_PATH = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9/_.-]*)?(?:\?[A-Za-z0-9_.=&%+-]*)?")


def find_session(request: Request, desk: AtDesk) -> SignedIn | None:
    """Who is signed in to the Access Panel, if anybody."""
    return desk.store.signed_in(request.cookies.get(SESSION_COOKIE, ""), desk.clock())


Visitor = Annotated[SignedIn | None, Depends(find_session)]


def ask_to_sign_in(destination: str) -> RedirectResponse:
    """Send somebody to the sign-in page, and from there to `destination`, a path on this service."""
    return RedirectResponse(f"{PANEL}/sign-in?next={quote(destination, safe='')}", status_code=303)


def own_path(destination: str) -> str:
    """The destination if it is a plain path on this service, else the Access Panel."""
    return destination if _OWN_PATH.fullmatch(destination) else PANEL
