"""Owns the page "Token encryption" of an application: the certificate that its assertions are encrypted for.

Never encrypts anything itself.
"""

from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sp.demo_directory.applications import Found
from sp.demo_directory.desk import AtDesk, Desk
from sp.demo_directory.encryption import UnusableCertificateError, read_certificate
from sp.demo_directory.guard import FROM_OUR_PAGE
from sp.demo_directory.tables import Application

router = APIRouter(prefix="/portal/directory/applications/{object_id}/token-encryption")

NOTICES = {
    "on": "Token encryption is on: the next assertion is encrypted for this certificate.",
    "off": "Token encryption is off: assertions are sent as they are.",
}


@router.get("")
def show_token_encryption(request: Request, desk: AtDesk, application: Found, done: str = "") -> HTMLResponse:
    return _page(request, desk, application, notice=NOTICES.get(done))


@router.post("/import", dependencies=FROM_OUR_PAGE)
def import_certificate(
    request: Request,
    desk: AtDesk,
    application: Found,
    certificate: Annotated[UploadFile | None, File()] = None,
    pasted: Annotated[str, Form()] = "",
) -> Response:
    """Take a file or a paste; the paste counts where both came."""
    content = pasted.encode() if pasted.strip() else certificate.file.read() if certificate else b""
    try:
        found = read_certificate(content)
    except UnusableCertificateError as error:
        return _page(request, desk, application, problem=str(error))
    desk.store.encrypt_for(application, found)
    return _done(application, "on")


@router.post("/deactivate", dependencies=FROM_OUR_PAGE)
def deactivate(desk: AtDesk, application: Found) -> Response:
    desk.store.end_encryption(application)
    return _done(application, "off")


def _done(application: Application, what: str) -> RedirectResponse:
    address = f"/portal/directory/applications/{application.object_id}/token-encryption?done={what}"
    return RedirectResponse(address, status_code=303)


def _page(
    request: Request, desk: Desk, application: Application, *, notice: str | None = None, problem: str | None = None
) -> HTMLResponse:
    certificate = desk.store.encryption_certificate(application)
    return desk.pages.render(
        request,
        "token_encryption.html",
        status=422 if problem else 200,
        application=application,
        certificate=certificate,
        fingerprint=_fingerprint(certificate),
        notice=notice,
        problem=problem,
    )


def _fingerprint(certificate: x509.Certificate | None) -> str:
    return "" if certificate is None else certificate.fingerprint(hashes.SHA256()).hex(":").upper()
