"""POST /sign-out: the session of this browser ends, and the identity provider is told.

Owns the page on which the browser goes on there. Never stays signed in because the way there is broken.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from sp.flows.request_sending import Sending
from sp.flows.sign_out import Leaving, sign_out
from sp.web import cookies, csrf
from sp.web.carried_requests import browser_token
from sp.web.rendering import render
from sp.web.security_headers import allow_forms_to
from sp.web.state import ServiceDep

router = APIRouter()

_TITLE = "Signing out at your identity provider"
_SENTENCE = "You are signed out here. Your browser goes on to your identity provider, to sign you out there too."


@router.post("/sign-out", dependencies=[Depends(csrf.require_form_token)])
def sign_out_here(request: Request, service: ServiceDep) -> Response:
    token = cookies.read_cookie(request, service.settings, cookies.SESSION)
    leaving = Leaving(token, browser_token(request), service.now())
    onward = sign_out(service.database, service.settings, leaving)
    response = RedirectResponse("/", status_code=303) if onward is None else _going_on(request, onward)
    if onward is not None and onward.xml:
        cookies.set_request_token(response, service.settings, leaving.browser_token)
    cookies.clear_cookie(response, service.settings, cookies.SESSION)
    return response


def _going_on(request: Request, onward: Sending) -> Response:
    """A page rather than a redirect: the form that was pressed may lead to pages of ours only, redirects included."""
    if not onward.fields:
        return render(request, "sso/going_on.html", url=onward.url, title=_TITLE, sentence=_SENTENCE)
    response = render(
        request, "sso/post_form.html", action=onward.url, fields=onward.fields, title=_TITLE, sentence=_SENTENCE
    )
    allow_forms_to(response, onward.url)
    return response
