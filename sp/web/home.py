"""The Application Panel.

Owns the first page of whoever comes. Never shows an administrator's tile to a user.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from sp.web.admin.expiry_view import ExpiryView, most_urgent
from sp.web.rendering import render
from sp.web.sign_in_page import sign_in_form
from sp.web.state import service_of
from sp.web.viewer import Viewer, viewer_of

router = APIRouter()


@router.get("/")
def application_panel(request: Request, next: str = "") -> Response:  # noqa: A002  (the parameter's public name)
    """The tiles of whoever is signed in, else the sign-in form."""
    viewer = viewer_of(request)
    if viewer is None:
        return sign_in_form(request, wanted=next)
    return render(request, "home/application_panel.html", ending=_ending(request, viewer))


def _ending(request: Request, viewer: Viewer) -> ExpiryView | None:
    """The certificate that an administrator has to see to next; users are not told."""
    if viewer.administrator is None:
        return None
    service = service_of(request)
    with service.database.reading() as session:
        return most_urgent(session, viewer.administrator.company_id, service.now())
