"""Owns the Access Panel's pages: signing in with user name and password, the tiles, signing out.

Never shows an application to somebody who is not assigned to it.
"""

import math
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sp.demo_directory.applications import Found
from sp.demo_directory.delivery import deliver
from sp.demo_directory.desk import AtDesk, Desk
from sp.demo_directory.guard import FROM_OUR_PAGE
from sp.demo_directory.passwords import password_matches
from sp.demo_directory.sessions import PANEL, SESSION_COOKIE, Visitor, ask_to_sign_in, own_path
from sp.demo_directory.single_sign_out import end_session
from sp.demo_directory.tables import Person
from sp.demo_directory.user_names import user_name_key

router = APIRouter(prefix=PANEL)

_MAX_RELAY_STATE = 1024


@router.get("")
def show_tiles(request: Request, desk: AtDesk, visitor: Visitor) -> Response:
    if visitor is None:
        return ask_to_sign_in(PANEL)
    applications = desk.store.applications_of(visitor.person)
    return desk.pages.render(
        request,
        "access_panel.html",
        person=visitor.person,
        upn=desk.user_principal_name(visitor.person),
        applications=applications,
        faults=desk.store.faults_of(visitor.person),
    )


@router.get("/sign-in")
def show_sign_in(request: Request, desk: AtDesk, next: str = PANEL) -> HTMLResponse:  # noqa: A002  the field's name
    return _sign_in_page(request, desk, "", next)


@router.post("/sign-in", dependencies=FROM_OUR_PAGE)
def sign_in(
    request: Request,
    desk: AtDesk,
    user_name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = PANEL,  # noqa: A002  the field's name
) -> Response:
    """Open a session for the right password; five wrong ones in five minutes bring a pause."""
    user_name = user_name.strip()
    name, now = _local_part(desk, user_name), desk.clock()
    if not user_name or not password:
        return _sign_in_page(request, desk, user_name, next, "Type your user name and your password.")
    wait = desk.throttle.wait(user_name_key(name), now)
    if wait:
        return _pause(request, desk, user_name, next, wait)
    person = desk.store.person_named(name)
    correct = password_matches(person.password_hash if person else None, password)
    if person is None or not correct:
        desk.throttle.failed(user_name_key(name), now)
        return _sign_in_page(request, desk, user_name, next, "The user name or the password is not correct.")
    desk.throttle.succeeded(user_name_key(name))
    return _signed_in(request, desk, person, next)


@router.post("/sign-out", dependencies=FROM_OUR_PAGE)
def sign_out(request: Request, desk: AtDesk) -> HTMLResponse:
    return end_session(request, desk)


@router.get("/applications/{object_id}")
def open_application(
    request: Request,
    desk: AtDesk,
    visitor: Visitor,
    application: Found,
    RelayState: str = "",  # noqa: N803
) -> Response:
    """A tile: sign in to the application by an unsolicited response (Profiles 4.1.5)."""
    relay_state = RelayState[:_MAX_RELAY_STATE]
    if visitor is None:
        query = f"?{urlencode({'RelayState': relay_state})}" if relay_state else ""
        return ask_to_sign_in(f"{PANEL}/applications/{application.object_id}{query}")
    return deliver(request, desk, visitor, application, relay_state=relay_state)


def _signed_in(request: Request, desk: Desk, person: Person, destination: str) -> RedirectResponse:
    """A new session id at every sign-in: one that somebody planted before is worth nothing."""
    desk.store.close_session(request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse(own_path(destination), status_code=303)
    token = desk.store.open_session(person, desk.clock())
    response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="lax")
    return response


def _local_part(desk: Desk, user_name: str) -> str:
    """The part before the directory's own domain; a name without a domain stands for itself."""
    local_part, _, domain = user_name.rpartition("@")
    return local_part if user_name_key(domain) == user_name_key(desk.tenant.domain) else user_name


def _pause(request: Request, desk: Desk, user_name: str, destination: str, wait: timedelta) -> HTMLResponse:
    minutes = math.ceil(wait.total_seconds() / 60)
    problem = f"Too many wrong passwords for this user name. Try again in {minutes} min."
    response = _sign_in_page(request, desk, user_name, destination, problem, status=429)
    response.headers["Retry-After"] = str(math.ceil(wait.total_seconds()))
    return response


def _sign_in_page(
    request: Request,
    desk: Desk,
    user_name: str,
    destination: str,
    problem: str | None = None,
    status: int = 422,
) -> HTMLResponse:
    return desk.pages.render(
        request,
        "sign_in.html",
        status=status if problem else 200,
        user_name=user_name,
        next=own_path(destination),
        problem=problem,
    )
