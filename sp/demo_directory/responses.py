"""Owns the making of a SAML response as Azure AD sends it: names, claims, times, signature.

Never decides whether somebody may sign in, and never sends anything.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lxml import etree
from saml2 import class_name, saml, xmldsig

from sp.demo_directory.clock import instant
from sp.demo_directory.faults import SOUND, Fault
from sp.demo_directory.identity_provider import IdentityProvider
from sp.demo_directory.pysaml2 import pre_signature_part, signed_instance_factory
from sp.demo_directory.reply_url import Reply

# Azure AD's assertions are valid for 70 minutes, five of them in the past for services whose clock is behind.
VALID_BEFORE = timedelta(minutes=5)
VALID_AFTER = timedelta(minutes=65)

_AUTHENTICATION_CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
_WS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_MS = "http://schemas.microsoft.com/identity/claims"
_PREFIXES = {"samlp": "urn:oasis:names:tc:SAML:2.0:protocol", "saml": saml.NAMESPACE, "ds": xmldsig.NAMESPACE}


@dataclass(frozen=True)
class Subject:
    """The person an assertion speaks of."""

    user_principal_name: str
    first_name: str
    last_name: str
    display_name: str
    object_id: str


def claims_of(subject: Subject, tenant_id: str) -> tuple[tuple[str, str], ...]:
    """The attributes that Azure AD sends by default, in its order; empty ones are left out."""
    claims = (
        (f"{_MS}/tenantid", tenant_id),
        (f"{_MS}/objectidentifier", subject.object_id),
        (f"{_MS}/displayname", subject.display_name),
        (f"{_WS}/givenname", subject.first_name),
        (f"{_WS}/surname", subject.last_name),
        (f"{_WS}/emailaddress", subject.user_principal_name),
        (f"{_WS}/name", subject.user_principal_name),
    )
    return tuple((name, value) for name, value in claims if value)


def make_response(
    provider: IdentityProvider,
    subject: Subject,
    reply: Reply,
    *,
    now: datetime,
    authenticated_at: datetime,
    in_response_to: str | None = None,
    fault: Fault = SOUND,
    assertion_id: str = "",
) -> bytes:
    """Make the signed response (Core 3.3.3, Profiles 4.1.4.2) that signs `subject` in at `reply`.

    The assertion is signed (RSA-SHA256 over exclusive c14n), the response around it is not, as Azure AD does
    by default. Times are aware UTC; `in_response_to` is the ID of the request that is answered; `fault` is the one
    flaw to put in. `assertion_id` is the SessionIndex too, as at Azure AD.
    """
    response = provider.server.create_authn_response(
        identity={},
        in_response_to=in_response_to,
        destination=reply.acs_url,
        sp_entity_id=reply.entity_id,
        name_id=saml.NameID(format=saml.NAMEID_FORMAT_EMAILADDRESS, text=subject.user_principal_name),
        authn={"class_ref": _AUTHENTICATION_CLASS},
        sign_response=False,
        sign_assertion=False,
    )
    response.id, response.assertion.id = new_identifier(), assertion_id or new_identifier()
    _as_azure_ad_writes(response, now, authenticated_at)
    response.assertion.attribute_statement = [_attribute_statement(claims_of(subject, provider.tenant_id))]
    return _signed(provider, response, fault, now)


def _as_azure_ad_writes(response: Any, now: datetime, authenticated_at: datetime) -> None:
    """Give the message our clock's times and Azure AD's kind of names."""
    assertion = response.assertion
    response.issue_instant = assertion.issue_instant = instant(now)
    response.issuer.format = assertion.issuer.format = None
    assertion.conditions.not_before = instant(now - VALID_BEFORE)
    assertion.conditions.not_on_or_after = instant(now + VALID_AFTER)
    confirmation = assertion.subject.subject_confirmation[0].subject_confirmation_data
    confirmation.not_on_or_after = instant(now + VALID_AFTER)
    statement = assertion.authn_statement[0]
    statement.authn_instant = instant(authenticated_at)
    statement.session_index = assertion.id


def _attribute_statement(claims: tuple[tuple[str, str], ...]) -> Any:
    return saml.AttributeStatement(
        attribute=[
            saml.Attribute(name=name, name_format=None, attribute_value=[_plain_value(value)]) for name, value in claims
        ]
    )


def _plain_value(value: str) -> Any:
    """An AttributeValue without xsi:type, as Azure AD writes it."""
    element = saml.AttributeValue()
    element.text = value
    element.extension_attributes = {}
    return element


def _signed(provider: IdentityProvider, response: Any, fault: Fault, now: datetime) -> bytes:
    """The message as it goes out: a fault's changes are made just before and just after it is signed."""
    assertion, security = response.assertion, provider.server.sec
    assertion.signature = pre_signature_part(
        assertion.id,
        security.my_cert,
        digest_alg=xmldsig.DIGEST_SHA256,
        sign_alg=xmldsig.SIG_RSA_SHA256,
    )
    tree = etree.fromstring(response.to_string(_PREFIXES))
    fault.before(tree, now)
    signed: str = signed_instance_factory(etree.tostring(tree, encoding="unicode"), security, _to_sign(tree))
    return fault.after(signed.encode(), now)


def _to_sign(tree: etree._Element) -> list[tuple[str, str]]:
    """What holds a template of a signature, as pysaml2 names it: the assertion, unless a fault took one of them."""
    found = tree.find("saml:Assertion[ds:Signature]", _PREFIXES)
    return [] if found is None else [(class_name(saml.Assertion()), found.get("ID", ""))]


def new_identifier() -> str:
    """An xs:ID: never begins with a digit (Core 1.3.4)."""
    return f"_{uuid.uuid4()}"
