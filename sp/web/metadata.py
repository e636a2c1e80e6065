"""GET /saml2/metadata: our metadata, for everybody or for one account.

Owns the address and that it is fetched once: the ETag changes with the bytes. Never needs anybody to be signed in.
"""

from __future__ import annotations

import hashlib

from fastapi import APIRouter, Request, Response

from sp.flows.account_setup import is_slug
from sp.flows.service_metadata import METADATA_PATH, service_metadata
from sp.models import Account
from sp.saml.service_metadata import CONTENT_TYPE
from sp.store import accounts
from sp.web.errors import not_found
from sp.web.realm import WORKSPACE, ServiceHereDep, gone
from sp.web.state import Service, ServiceDep

router = APIRouter()


# A known suffix keeps browsers from showing a page where a file is wanted, and identity providers look at the type.
_FILE_NAME = "virtual-office-metadata.xml"


@router.api_route(METADATA_PATH, methods=["GET", "HEAD"])
def metadata_for_everybody(request: Request, service: ServiceDep, signed: bool = False) -> Response:
    return _answer(request, _metadata(service, None, signed=signed))


@router.api_route(f"{METADATA_PATH}/{{slug}}", methods=["GET", "HEAD"])
def metadata_for_account(request: Request, service: ServiceDep, slug: str, signed: bool = False) -> Response:
    """As that account's settings have it. Public, as metadata is: it names neither the company nor its people."""
    with service.database.reading() as session:
        account: Account | None = accounts.account_by_slug(session, slug) if is_slug(slug) else None
        if account is None or account.realm_id != accounts.shared_realm(session).id:
            raise not_found("There is no such account")
    return _answer(request, _metadata(service, slug, signed=signed))


@router.api_route(WORKSPACE + METADATA_PATH, methods=["GET", "HEAD"])
def metadata_of_workspace(request: Request, service: ServiceHereDep, workspace: str, signed: bool = False) -> Response:
    """As its only account's settings have it."""
    return _answer(request, _metadata(service, workspace, signed=signed))


def _metadata(service: Service, slug: str | None, *, signed: bool) -> bytes:
    """Raises PageError (404)."""
    document = service_metadata(service.database, service.settings, service.now(), slug, signed=signed)
    if document is None:
        raise not_found("There is no such account") if service.workspace is None else gone()
    return document


def _answer(request: Request, document: bytes) -> Response:
    """The document, or 304 for whoever has it. Asked for each time: a key in a stale copy would fail a sign-in."""
    tag = f'"{hashlib.sha256(document).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "no-cache",
        "Content-Disposition": f'inline; filename="{_FILE_NAME}"',
    }
    if tag in (known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    return Response(document, media_type=CONTENT_TYPE, headers=headers)
