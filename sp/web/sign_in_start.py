"""Starting Single Sign On here: the name, the method, and on to the identity provider.

Owns these pages and the bookmarkable address of an account. Never tells whether a user exists, and never takes an
address to return to that leads away from this service.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from sp.flows.account_setup import is_slug
from sp.flows.realms import settings_of
from sp.flows.sign_in_started_here import MAX_NAME, Obstacle, Wish, find_account, find_company, start
from sp.store import accounts
from sp.web import csrf, sso_choice
from sp.web.carried_requests import browser_token, carried
from sp.web.errors import PageError
from sp.web.realm import WORKSPACE, ServiceHereDep
from sp.web.relay_state import safe_path
from sp.web.rendering import render
from sp.web.sso_choice import Choice
from sp.web.state import Service, ServiceDep, remote_address
from sp.web.viewer import viewer_of

router = APIRouter()

_ID_BYTES = 20
_NO_NAME = "Enter your 8x8 username or email."
_NO_COMPANY = "No company of that name signs in here. Ask your administrator where to start."


@router.get("/sso/start/")
@router.get("/sso/start", include_in_schema=False)
def name_page(request: Request, next: str = "") -> Response:  # noqa: A002  (the parameter's public name)
    """ "Use Single Sign On": whose account? Straight on for somebody who is signed in."""
    if viewer_of(request) is not None:
        return RedirectResponse(safe_path(next) if next else "/", status_code=303)
    return _name_form(request, wanted=next)


def _name_form(
    request: Request,
    *,
    wanted: str,
    name: str = "",
    errors: dict[str, str] | None = None,
    company: str | None = None,
) -> Response:
    """`company` is what was typed, or None as long as nobody asks for it."""
    found = errors or {}
    status = 422 if found else 200
    return render(request, "sso/start.html", status=status, wanted=wanted, username=name, errors=found, company=company)


@router.post("/sso/start/", dependencies=[Depends(csrf.require_form_token)])
def choose(
    request: Request,
    service: ServiceDep,
    username: Annotated[str, Form(max_length=MAX_NAME)] = "",
    company: Annotated[str | None, Form(max_length=256)] = None,
    next: Annotated[str, Form()] = "",  # noqa: A002  (the field's public name)
) -> Response:
    """ "Continue": the account that the name leads to, else the question for the company."""
    name = username.strip()
    if not name or not name.isprintable():
        return _name_form(request, wanted=next, name=username, errors={"username": _NO_NAME}, company=company)
    slug = _account(service, name, company)
    if slug is None:
        errors = {"company": _NO_COMPANY} if company else {}
        return _name_form(request, wanted=next, name=name, errors=errors, company=company or "")
    response = RedirectResponse(_with_next("/sso/login/", next), status_code=303)
    sso_choice.remember(response, service.settings, Choice(slug, name))
    return response


def _account(service: Service, name: str, company: str | None) -> str | None:
    with service.database.reading() as session:
        return find_company(session, company) if company and company.isprintable() else find_account(session, name)


@router.post("/sso/start/clear", dependencies=[Depends(csrf.require_form_token)])
def clear(
    service: ServiceDep,
    next: Annotated[str, Form()] = "",  # noqa: A002  (the field's public name)
) -> Response:
    """ "Clear SSO Setting": back to the form with the password."""
    response = RedirectResponse(_with_next("/sso/login/", next), status_code=303)
    sso_choice.forget(response, service.settings)
    return response


@router.get(f"{WORKSPACE}/sso/login")
def straight_on_in_workspace(
    request: Request,
    service: ServiceHereDep,
    workspace: str,
    next: str = "",  # noqa: A002  (the parameter's public name)
) -> Response:
    """A request of the workspace's only account."""
    return straight_on(request, service, workspace, next)


@router.get("/sso/login/{slug}")
def straight_on(
    request: Request,
    service: ServiceDep,
    slug: str,
    next: str = "",  # noqa: A002  (the parameter's public name)
) -> Response:
    """ "Log in using SAML", and the address to bookmark: a request, on its way at once.

    A user of that account who is signed in goes straight to `next`.
    """
    path = safe_path(next) if next else "/"
    if _is_signed_in_to(request, service, slug):
        return RedirectResponse(path, status_code=303)
    wish = Wish(
        slug, browser_token(request), secrets.token_bytes(_ID_BYTES), return_path=path, address=remote_address(request)
    )
    if not is_slug(slug):
        raise _obstacle(Obstacle.UNAVAILABLE)
    chosen = sso_choice.choice_of(request, service.settings)
    if chosen is not None and chosen.slug == slug:
        wish = replace(wish, name=chosen.name)
    outcome = start(service.database, service.settings, service.now(), wish)
    if isinstance(outcome, Obstacle):
        raise _obstacle(outcome)
    return carried(request, outcome, wish.browser_token)


def _is_signed_in_to(request: Request, service: Service, slug: str) -> bool:
    """Whether the viewer is a user of that account: anybody else came here to become one."""
    viewer = viewer_of(request)
    if viewer is None or viewer.user is None:
        return False
    with service.database.reading() as session:
        account = accounts.account_by_id(session, viewer.user.account_id)
        return account.slug == slug and settings_of(session, service.settings, account).realm == service.settings.realm


def _obstacle(obstacle: Obstacle) -> PageError:
    if obstacle is Obstacle.TOO_MANY:
        return PageError(429, "Too many sign-ins are being started", "Wait a minute, then try again.", retry_after=60)
    return PageError(
        404,
        "Single Sign On cannot start at this address",
        "Check the address, or start at your identity provider. Administrators find what is missing under Accounts, "
        "Single Sign On: SAML must be on, with a Sign In URL.",
    )


def _with_next(path: str, wanted: str) -> str:
    return f"{path}?next={quote(wanted)}" if wanted not in {"", "/"} else path
