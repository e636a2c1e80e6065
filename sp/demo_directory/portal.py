"""Owns the pages around the directory itself: the front door, the list of directories, quick start, configure.

Never asks for a password: the portal is for the one administrator of this computer.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from sp.demo_directory.desk import AtDesk

router = APIRouter()


@router.get("/")
def show_front_page(request: Request, desk: AtDesk) -> HTMLResponse:
    return desk.pages.render(request, "front.html")


@router.get("/portal")
def show_all_items(request: Request, desk: AtDesk) -> HTMLResponse:
    applications = desk.store.applications()
    return desk.pages.render(request, "all_items.html", applications=applications)


@router.get("/portal/active-directory")
def list_directories(request: Request, desk: AtDesk) -> HTMLResponse:
    return desk.pages.render(request, "directories.html")


@router.get("/portal/directory")
def show_quick_start(request: Request, desk: AtDesk) -> HTMLResponse:
    applications = desk.store.applications()
    return desk.pages.render(
        request,
        "quick_start.html",
        people=desk.store.people(),
        applications=applications,
        configured=any(application.configured_at for application in applications),
        assigned=any(desk.store.assigned_people(application) for application in applications),
    )


@router.get("/portal/directory/configure")
def show_directory_settings(request: Request, desk: AtDesk) -> HTMLResponse:
    return desk.pages.render(request, "directory_settings.html", provider=desk.provider, key=desk.key)


@router.get("/portal/directory/certificate")
def download_certificate(
    desk: AtDesk, encoding: Annotated[Literal["base64", "raw"], Query(alias="format")] = "base64"
) -> Response:
    """The signing certificate: "base64" is PEM, "raw" is DER."""
    content = desk.key.certificate_pem if encoding == "base64" else desk.key.certificate_der
    disposition = f'attachment; filename="demo-directory-{encoding}.cer"'
    return Response(content, media_type="application/x-x509-ca-cert", headers={"Content-Disposition": disposition})
