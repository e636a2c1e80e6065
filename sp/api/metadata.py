"""GET /metadata: what an identity provider has to know about this service.

Owns that answer. Never writes the document: `sp.flows.service_metadata` does.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from sp.api.authorization import ReaderDep, account_of
from sp.api.problems import BY_ANY, ApiError
from sp.api.schemas import Answer, Body, examples
from sp.flows.realms import settings_of
from sp.flows.service_metadata import metadata_url, service_metadata
from sp.service import ServiceDep

router = APIRouter(tags=["account"], responses=BY_ANY)


class Wanted(Body):
    signed: bool = Field(False, description="Sign the document with our signing key.")


class MetadataAnswer(Answer):
    """Our metadata, and what of it people type."""

    model_config = ConfigDict(
        json_schema_extra=examples(
            {
                "entity_id": "http://localhost:8000/saml2",
                "acs_url": "http://localhost:8000/saml2",
                "metadata_url": "http://localhost:8000/saml2/metadata/business",
                "xml": '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">…</md:EntityDescriptor>',
            }
        )
    )

    entity_id: str
    acs_url: str
    metadata_url: str
    xml: str


@router.get("/metadata")
def get_metadata(caller: ReaderDep, service: ServiceDep, wanted: Annotated[Wanted, Query()]) -> MetadataAnswer:
    """Our metadata, as this account's settings have it."""
    with service.database.reading() as session:
        account = account_of(session, caller)
        settings = settings_of(session, service.settings, account)
    document = service_metadata(service.database, service.settings, service.now(), account.slug, signed=wanted.signed)
    if document is None:
        raise ApiError(404, "There is no such account.")
    return MetadataAnswer(
        entity_id=settings.entity_id,
        acs_url=settings.acs_url,
        metadata_url=metadata_url(settings, account.slug),
        xml=document.decode(),
    )
