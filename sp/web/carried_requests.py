"""Bringing an AuthnRequest to the identity provider by way of the browser.

Owns the redirect, the page with the form, and the cookie that the request is bound to. Never makes a request.
"""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from sp.flows.request_sending import Sending
from sp.web import cookies
from sp.web.rendering import render
from sp.web.security_headers import allow_forms_to
from sp.web.state import service_of


def browser_token(request: Request) -> str:
    """The token that this browser's requests are bound to; a new one for a browser that has none yet."""
    return cookies.request_token(request, service_of(request).settings) or cookies.new_token()


def carried(request: Request, sent: Sending, token: str) -> Response:
    """The response that makes the browser carry the message, by Redirect or by a form that posts itself."""
    response: Response
    if sent.fields:
        response = render(
            request,
            "sso/post_form.html",
            action=sent.url,
            fields=sent.fields,
            title="Signing in at your identity provider",
            sentence="Your browser takes a request to your identity provider.",
        )
        allow_forms_to(response, sent.url)
    else:
        response = RedirectResponse(sent.url, status_code=303)
        response.headers["Cache-Control"] = "no-store"
    cookies.set_request_token(response, service_of(request).settings, token)
    return response
