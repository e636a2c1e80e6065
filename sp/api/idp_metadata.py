"""POST /account/single-sign-on/metadata: taking over what an identity provider's metadata says.

Owns the two ways to send it: as it is, or in JSON as text or address. Never fetches, reads or judges it by itself: the
flows do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field, ValidationError
from sqlmodel import Session

from sp.api.authorization import WriterDep, account_of
from sp.api.pem import Certificate, read_one
from sp.api.preconditions import IfMatch, check_match
from sp.api.problems import BY_ANY, ApiError, FieldError, documented, invalid
from sp.api.schemas import Answer, Body, Flag, Text, examples
from sp.api.single_sign_on import ADDRESS, Change
from sp.flows.account_setup import Invalid, Saved
from sp.flows.api_tokens import Caller
from sp.flows.issuers import record_conflict_of_preview
from sp.flows.metadata_addresses import Refused
from sp.flows.metadata_answers import Fetched, Unchanged
from sp.flows.metadata_fetching import fetch_metadata
from sp.flows.metadata_import import Proposal, Source, proposal, save_import
from sp.models import Account
from sp.outgoing import run_outgoing
from sp.saml.certificates import IdpCertificate
from sp.saml.errors import MetadataError
from sp.saml.idp_metadata import IdpEntity, ListedProvider, read_metadata
from sp.saml.metadata_document import MAXIMUM_BYTES
from sp.service import Service, ServiceDep
from sp.store import accounts

router = APIRouter(tags=["single sign-on"], responses=BY_ANY)
_XML_TYPES = ("application/samlmetadata+xml", "application/xml", "text/xml")
_LISTED = 10


class MetadataBody(Body):
    """Metadata as text or where to fetch it: one of the two."""

    model_config = ConfigDict(
        json_schema_extra=examples({"url": "https://idp.contoso.example/metadata", "follow": True}, {"xml": "<md:…"})
    )

    xml: str = Field("", max_length=MAXIMUM_BYTES)
    url: Text = ""
    entity_id: Text = Field("", description="Which identity provider, where the document describes several.")
    pinned_certificate: Certificate = Field("", description="The certificate by which it must be signed.")
    follow: Flag = Field(True, description="With `url`: read it again by itself from now on.")


class Options(Body):
    check: bool = Field(False, description="Tell what would change, and save nothing.")
    entity_id: str = Field("", max_length=1024, description="As in the body, for a document that is sent as it is.")


class ImportAnswer(Answer):
    """What was taken over, or would be."""

    model_config = ConfigDict(
        json_schema_extra=examples(
            {
                "saved": True,
                "settings_version": 2,
                "entity_id": "https://idp.contoso.example/",
                "display_name": "Contoso",
                "notes": [],
                "changes": [{"field": "issuer", "before": "", "after": "https://idp.contoso.example/"}],
                "errors": [],
            }
        )
    )

    saved: bool
    settings_version: int = Field(description="The number of the settings in force.")
    entity_id: str
    display_name: str
    notes: list[str] = Field(description="What was left out of the document or is odd about it.")
    changes: list[Change]
    errors: list[FieldError] = Field(description="Why it could not be saved as it is.")


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was sent: the document, or where it is; `data` is then what was fetched."""

    data: bytes
    url: str
    entity_id: str
    pinned: IdpCertificate | None
    follow: bool

    @property
    def field(self) -> str:
        return "url" if self.url else "xml"


_BODIES: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/MetadataBody"}},
        _XML_TYPES[0]: {"schema": {"type": "string"}},
    },
}


@router.post(f"{ADDRESS}/metadata", responses=documented(412, 429), openapi_extra={"requestBody": _BODIES})
async def import_metadata(
    caller: WriterDep,
    service: ServiceDep,
    request: Request,
    options: Annotated[Options, Query()],
    if_match: IfMatch = None,
) -> ImportAnswer:
    """Take over an identity provider's issuer, addresses and certificates, with SAML on."""
    sent = await _sent(request, options)
    if sent.url:
        answer = await run_outgoing(request, caller.account_id, partial(fetch_metadata, service.settings, sent.url))
        sent = replace(sent, data=_document(answer))
    return await run_in_threadpool(_import, service, caller, sent, if_match, check=options.check)


async def _sent(request: Request, options: Options) -> _Sent:
    """Read after the token was looked at: it may be long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    data = await request.body()
    if kind in _XML_TYPES:
        return _Sent(data, "", options.entity_id, None, follow=False)
    if kind != "application/json":
        raise ApiError(415, f"Send application/json or {_XML_TYPES[0]}.")
    try:
        body = MetadataBody.model_validate_json(data)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    if bool(body.xml) == bool(body.url):
        raise invalid({"xml": "Send either xml or url."})
    pinned = read_one(body.pinned_certificate, "pinned_certificate") if body.pinned_certificate else None
    return _Sent(body.xml.encode(), body.url, body.entity_id or options.entity_id, pinned, follow=body.follow)


def _import(service: Service, caller: Caller, sent: _Sent, if_match: str | None, *, check: bool) -> ImportAnswer:
    """Reading happens before anybody has to wait for the transaction."""
    entity = _entity(service, sent)
    if check:
        with service.database.reading() as session:
            account = account_of(session, caller)
            version = accounts.settings_in_force(session, account).version
            check_match(if_match, version)
            proposed = proposal(session, service.settings, account, entity)
        if "issuer" in proposed.faults:
            record_conflict_of_preview(service.database, caller.account_id, entity.entity_id, service.now())
        return _told(proposed, version, saved=False)
    with service.database.writing() as session:
        saved = _save(session, service, caller, sent, entity, if_match)
    if isinstance(saved, Invalid):  # only now: an issuer of another company is stored as a conflict
        raise invalid(saved.errors)
    return saved


def _save(
    session: Session, service: Service, caller: Caller, sent: _Sent, entity: IdpEntity, if_match: str | None
) -> ImportAnswer | Invalid:
    account: Account = account_of(session, caller)
    accounts.lock_settings(session, account)
    version = accounts.settings_in_force(session, account).version
    check_match(if_match, version)
    proposed = proposal(session, service.settings, account, entity)
    saved = save_import(
        session,
        service.settings,
        account,
        entity,
        based_on=version,
        saved_by=caller.saved_by,
        now=service.now(),
        source=Source(sent.url, sent.pinned) if sent.url and sent.follow else None,
    )
    if isinstance(saved, Invalid):
        return saved
    if not isinstance(saved, Saved):
        raise TypeError("the settings were overtaken while they were locked")
    return _told(proposed, saved.version, saved=True)


def _entity(service: Service, sent: _Sent) -> IdpEntity:
    """Raises ApiError (422) for metadata that cannot be read or taken."""
    try:
        document = read_metadata(sent.data, service.now(), wanted=sent.entity_id, pinned=sent.pinned)
    except MetadataError as error:
        raise invalid({sent.field: str(error)}) from None
    if document.entity is None:
        raise invalid({"entity_id": _choice(document.providers)})
    return document.entity


def _document(answer: Fetched | Unchanged | Refused) -> bytes:
    """Raises ApiError (422) where none was fetched."""
    if isinstance(answer, Fetched):
        return answer.data
    raise invalid({"url": answer.sentence if isinstance(answer, Refused) else "The address answered nothing new."})


def _choice(providers: tuple[ListedProvider, ...]) -> str:
    named = ", ".join(provider.entity_id for provider in providers[:_LISTED])
    more = " …" if len(providers) > _LISTED else ""
    return f"This metadata describes {len(providers)} identity providers. Name one of them: {named}{more}"


def _told(found: Proposal, version: int, *, saved: bool) -> ImportAnswer:
    entity = found.entity
    return ImportAnswer(
        saved=saved,
        settings_version=version,
        entity_id=entity.entity_id,
        display_name=entity.display_name,
        notes=list(entity.notes),
        changes=[Change(**change) for change in found.changes],
        errors=_errors(found.faults.items()),
    )


def _errors(faults: Iterable[tuple[str, str]]) -> list[FieldError]:
    return [FieldError(field=field, message=message) for field, message in faults]
