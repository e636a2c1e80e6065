"""What an identity provider may know of this service, looked up.

Owns which settings and keys it is made of. Never shows a private key.
"""

from __future__ import annotations

from sqlmodel import Session

from sp.flows import account_setup, service_keys
from sp.flows.idp_config.parts import EMAIL_FORMAT, ServiceFacts
from sp.flows.realms import settings_of
from sp.flows.service_metadata import SIGN_OUT_PATH, metadata_url
from sp.models import Account
from sp.saml.messages import AttributeNames, SignedPart
from sp.settings import Settings

_START_PATH = "/sso/login/"


def service_facts(session: Session, settings: Settings, account: Account) -> ServiceFacts:
    """As the account's settings in force and its realm have it, with the encryption key that it has by now.

    Call `ensure_encryption_key` before.
    """
    own = settings_of(session, settings, account)
    draft = account_setup.draft_of(session, account)
    keys = service_keys.published(session, account.id)
    return ServiceFacts(
        slug=account.slug,
        entity_id=own.entity_id,
        acs_url=own.acs_url,
        sign_out_url=own.saml_root + SIGN_OUT_PATH,
        metadata_url=metadata_url(own, account.slug),
        start_url=own.saml_root + _START_PATH,
        name_id_format=draft.name_id_policy or EMAIL_FORMAT,
        attributes=AttributeNames(draft.first_name_attribute, draft.last_name_attribute, draft.email_attribute),
        signing=keys.signing,
        encryption=keys.encryption,
        signs_requests=draft.sign_requests,
        wants_signed_assertion=draft.signed_part != SignedPart.RESPONSE,
        wants_signed_response=draft.signed_part in {SignedPart.RESPONSE, SignedPart.BOTH},
    )
