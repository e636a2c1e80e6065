"""The Application Panel and health.

Owns the first page of whoever comes. Never shows an administrator's tile to a user.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from sp.web.rendering import render
from sp.web.sign_in_page import sign_in_form
from sp.web.viewer import viewer_of

router = APIRouter()


@router.get("/")
def application_panel(request: Request, next: str = "") -> Response:  # noqa: A002  (the parameter's public name)
    """The tiles of whoever is signed in, else the sign-in form."""
    if viewer_of(request) is None:
        return sign_in_form(request, wanted=next)
    return render(request, "home/application_panel.html")


@router.get("/healthz")
def health() -> Response:
    """Answers as soon as the service takes requests."""
    return JSONResponse({"status": "ok"})
