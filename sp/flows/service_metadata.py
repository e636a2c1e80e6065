"""Our metadata, for everybody or as one account's settings have it.

Owns which settings and keys it is made of. Never decides how it looks: `sp.saml.service_metadata` does.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from sp.flows import account_setup, service_keys
from sp.flows.realms import settings_of
from sp.models import Account
from sp.saml.message_signing import signed_message
from sp.saml.messages import AttributeNames, SignedPart
from sp.saml.service_metadata import ServiceDescription, metadata
from sp.settings import SHARED_REALM, Settings

SIGN_OUT_PATH = "/saml2/slo"
SOAP_SIGN_OUT_PATH = "/saml2/slo/soap"
METADATA_PATH = "/saml2/metadata"


def metadata_url(settings: Settings, slug: str) -> str:
    """Where an account's identity provider fetches our metadata."""
    root = settings.saml_root + METADATA_PATH
    return f"{root}/{slug}" if settings.realm == SHARED_REALM else root


def service_metadata(
    session: Session, settings: Settings, now: datetime, account: Account | None = None, *, signed: bool = False
) -> bytes:
    """The document as XML; `signed` with the key that signs our messages now. Raises NoKeyError."""
    document = metadata(_description(session, settings, now, account))
    return signed_message(document, service_keys.signing_key(session)) if signed else document


def _description(session: Session, settings: Settings, now: datetime, account: Account | None) -> ServiceDescription:
    """Without an account: what a new account has, so requests are not signed and attributes have Azure's names."""
    draft = account_setup.draft_of(session, account) if account else account_setup.SsoDraft()
    settings = settings_of(session, settings, account) if account else settings
    return ServiceDescription(
        entity_id=settings.entity_id,
        acs_url=settings.acs_url,
        sign_out_url=settings.saml_root + SIGN_OUT_PATH,
        soap_sign_out_url=settings.saml_root + SOAP_SIGN_OUT_PATH,
        keys=service_keys.published(session),
        now=now,
        signs_requests=draft.sign_requests,
        wants_signed_assertions=draft.signed_part != SignedPart.RESPONSE,
        attributes=AttributeNames(draft.first_name_attribute, draft.last_name_attribute, draft.email_attribute),
    )
