"""The sign-in page with user name and password.

Owns the form. Never tells whether the user name or the password was wrong.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from sp.flows.sign_in import Credentials, Refusal, sign_in_with_password
from sp.web import cookies, csrf
from sp.web.relay_state import safe_path
from sp.web.rendering import render
from sp.web.sso_choice import choice_of
from sp.web.state import ServiceDep, remote_address, service_of
from sp.web.viewer import viewer_of

router = APIRouter()

_SENTENCES = {
    Refusal.WRONG: (403, "The user name or the password is not right."),
    Refusal.THROTTLED: (429, "Too many wrong passwords came from this address. Wait a few minutes, then try again."),
    Refusal.SSO_ONLY: (403, "Your account signs in with Single Sign On only. Start at your identity provider."),
}


@router.get("/sso/login/")
@router.get("/sso/login", include_in_schema=False)
def sign_in_page(request: Request, next: str = "") -> Response:  # noqa: A002  (the parameter's public name)
    """The form, or straight on for somebody who is signed in."""
    if viewer_of(request) is not None:
        return RedirectResponse(safe_path(next) if next else "/", status_code=303)
    return sign_in_form(request, wanted=next)


def sign_in_form(
    request: Request, *, wanted: str = "", username: str = "", error: str = "", status: int = 200
) -> Response:
    """The form with the password, or, where this browser has chosen Single Sign On, the methods."""
    choice = choice_of(request, service_of(request).settings)
    if choice is not None and not error:
        return render(request, "sso/methods.html", wanted=wanted, choice=choice)
    return render(request, "sign_in.html", status=status, wanted=wanted, username=username, error=error)


@router.post("/sso/login/", dependencies=[Depends(csrf.require_form_token)])
def sign_in(
    request: Request,
    service: ServiceDep,
    username: Annotated[str, Form(max_length=256)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002  (the field's public name)
) -> Response:
    token = cookies.new_token()
    credentials = Credentials(
        username=username.strip(),
        password=password,
        address=remote_address(request),
        old_token=cookies.read_cookie(request, service.settings, cookies.SESSION),
    )
    refusal = sign_in_with_password(service.database, service.settings, service.now(), credentials, token)
    if refusal is not None:
        status, sentence = _SENTENCES[refusal]
        response = sign_in_form(request, wanted=next, username=username, error=sentence, status=status)
        if refusal is Refusal.THROTTLED:
            response.headers["Retry-After"] = str(service.settings.password_window_seconds)
        return response
    response = RedirectResponse(safe_path(next) if next else "/", status_code=303)
    cookies.set_cookie(response, service.settings, cookies.SESSION, token)
    return response
