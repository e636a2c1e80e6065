"""Who is looking: an administrator, a user, or nobody yet.

Owns turning the session cookie into a person, once per request. Never grants: pages ask for what they need.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from sp.flows.realms import standing_clock
from sp.models import Administrator, AdministratorSession, User, UserSession
from sp.store import realms, sessions
from sp.web import cookies
from sp.web.errors import PageError
from sp.web.state import Service, service_of


class SignInNeededError(Exception):
    """The page is for somebody who is signed in; the edge answers with the sign-in page."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person. Exactly one of the pairs is filled, as `kind` says."""

    kind: Literal["administrator", "user"]
    name: str
    administrator: Administrator | None = None
    administrator_session: AdministratorSession | None = None
    user: User | None = None
    user_session: UserSession | None = None
    fixed_time: datetime | None = None  # where the clock of their workspace stands


def viewer_of(request: Request) -> Viewer | None:
    """The signed-in person of this request, or None. Looked up once."""
    if not hasattr(request.state, "viewer"):
        request.state.viewer = _look_up(request)
    viewer: Viewer | None = request.state.viewer
    return viewer


def current_viewer(request: Request) -> Viewer:
    """Raises SignInNeededError when nobody is signed in."""
    viewer = viewer_of(request)
    if viewer is None:
        raise SignInNeededError
    return viewer


def current_administrator(request: Request) -> Administrator:
    """Raises SignInNeededError when nobody is signed in, PageError (403) when a user is."""
    administrator = current_viewer(request).administrator
    if administrator is None:
        raise PageError(403, "This page is for administrators", "Sign out, then sign in as an administrator.")
    return administrator


def current_user(request: Request) -> Viewer:
    """Raises SignInNeededError when nobody is signed in, PageError (403) when an administrator is."""
    viewer = current_viewer(request)
    if viewer.user is None:
        raise PageError(403, "Administrators have no user profile", "Sign in as a user to see one.")
    return viewer


AdministratorDep = Annotated[Administrator, Depends(current_administrator)]
UserDep = Annotated[Viewer, Depends(current_user)]
ViewerDep = Annotated[Viewer, Depends(current_viewer)]


def to_sign_in(request: Request) -> RedirectResponse:
    """The sign-in page, which leads back to where the person wanted to go."""
    asked_for = f"{request.url.path}?{request.url.query}".rstrip("?")
    wanted = asked_for if request.method in {"GET", "HEAD"} else ""
    query = f"?next={quote(wanted)}" if wanted not in {"", "/"} else ""
    return RedirectResponse(f"/{query}", status_code=303)


def _look_up(request: Request) -> Viewer | None:
    service = service_of(request)
    token = cookies.read_cookie(request, service.settings, cookies.SESSION)
    if not token:
        return None
    found = sessions.find(service.database, token, service.now(), service.settings.session_idle)
    match found:
        case (Administrator() as administrator, AdministratorSession() as session):
            return Viewer(
                "administrator",
                administrator.username,
                administrator=administrator,
                administrator_session=session,
                fixed_time=_fixed_time(service, administrator.company_id),
            )
        case (User() as user, UserSession() as session):
            name = f"{user.first_name} {user.last_name}".strip() or user.username
            fixed_time = _fixed_time_of_user(service, user)
            return Viewer("user", name, user=user, user_session=session, fixed_time=fixed_time)
    return None


def _fixed_time(service: Service, company_id: int) -> datetime | None:
    with service.database.reading() as session:
        workspace = realms.workspace_of_company(session, company_id)
    return standing_clock(service.settings, workspace)


def _fixed_time_of_user(service: Service, user: User) -> datetime | None:
    with service.database.reading() as session:
        return standing_clock(service.settings, realms.realm_by_id(session, user.realm_id))
