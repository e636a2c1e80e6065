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
from sp.store import accounts
from sp.store.engine import Database
from sp.store.rows import required

SIGN_OUT_PATH = "/saml2/slo"
SOAP_SIGN_OUT_PATH = "/saml2/slo/soap"
METADATA_PATH = "/saml2/metadata"


def metadata_url(settings: Settings, slug: str) -> str:
    """Where an account's identity provider fetches our metadata."""
    root = settings.saml_root + METADATA_PATH
    return f"{root}/{slug}" if settings.realm == SHARED_REALM else root


def service_metadata(
    database: Database, settings: Settings, now: datetime, slug: str | None = None, *, signed: bool = False
) -> bytes | None:
    """The document as XML, of the account or for everybody; None where there is no account of that slug.

    Makes the account's encryption key when the metadata is first asked for. With `signed` the document carries a
    signature by the signing key. Raises NoKeyError.
    """
    with database.reading() as session:
        owner = _key_owner(session, slug)
    if owner is not None:
        service_keys.ensure_encryption_key(database, settings, required(owner.id), now)
    with database.reading() as session:
        account = accounts.account_by_slug(session, slug) if slug is not None else None
        if slug is not None and account is None:
            return None
        owner = _key_owner(session, slug)
        document = metadata(_description(session, settings, now, account, owner))
        return signed_message(document, service_keys.signing_key(session)) if signed else document


def _key_owner(session: Session, slug: str | None) -> Account | None:
    """The account whose encryption key is named. Metadata without an account names the oldest account's."""
    if slug is not None:
        return accounts.account_by_slug(session, slug)
    return accounts.oldest_account(session, required(accounts.shared_realm(session).id))


def _description(
    session: Session, settings: Settings, now: datetime, account: Account | None, owner: Account | None
) -> ServiceDescription:
    """Without an account: what a new account has, so requests are not signed and attributes have Azure's names."""
    draft = account_setup.draft_of(session, account) if account else account_setup.SsoDraft()
    settings = settings_of(session, settings, account) if account else settings
    return ServiceDescription(
        entity_id=settings.entity_id,
        acs_url=settings.acs_url,
        sign_out_url=settings.saml_root + SIGN_OUT_PATH,
        soap_sign_out_url=settings.saml_root + SOAP_SIGN_OUT_PATH,
        keys=service_keys.published(session, owner.id if owner else None),
        now=now,
        signs_requests=draft.sign_requests,
        wants_signed_assertions=draft.signed_part != SignedPart.RESPONSE,
        attributes=AttributeNames(draft.first_name_attribute, draft.last_name_attribute, draft.email_attribute),
    )
