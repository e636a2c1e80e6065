"""Owns the faults: responses with one flaw each, named by the check of the service provider that the flaw breaks.

Never makes a response and never decides who gets a flawed one.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from lxml import etree
from saml2 import samlp, xmldsig

from sp.demo_directory.mutations import (
    Change,
    Rewrite,
    adding,
    each,
    element_of,
    encrypted_for_a_stranger,
    encrypted_the_old_way,
    moving,
    one,
    replacing,
    rewriting,
    setting,
    signed_by_a_stranger,
    unchanged,
    untouched,
    without,
    writing,
)

_ASSERTION = "saml:Assertion"
_SIGNATURE = f"{_ASSERTION}/ds:Signature"
_SIGNED_INFO = f"{_SIGNATURE}/ds:SignedInfo"
_NAME_ID = f"{_ASSERTION}/saml:Subject/saml:NameID"
_CONFIRMATION = f"{_ASSERTION}/saml:Subject/saml:SubjectConfirmation"
_DATA = f"{_CONFIRMATION}/saml:SubjectConfirmationData"
_CONDITIONS = f"{_ASSERTION}/saml:Conditions"
_AUDIENCE = f"{_CONDITIONS}/saml:AudienceRestriction/saml:Audience"
_AUTHN = f"{_ASSERTION}/saml:AuthnStatement"
_EMAIL = (
    f"{_ASSERTION}/saml:AttributeStatement/saml:Attribute"
    "[@Name='http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress']"
)

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_REQUEST = "_a-request-that-nobody-sent"
_REAL_SERVICE = "https://sso.8x8.com/saml2"
_OTHER_TENANT = "https://sts.windows.net/00000000-0000-0000-0000-000000000000/"
_INCLUSIVE_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_SENDER_VOUCHES = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
_UNSPECIFIED = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
_PADDING = b" " * (256 * 1024)
_NESTED = '<x xmlns="urn:fault">' * 64 + "</x>" * 64


def _encoded(message: bytes) -> str:
    return base64.b64encode(message).decode()


@dataclass(frozen=True)
class Fault:
    """One flaw. `code` is the check that it breaks, `stage` the part of the report where that check stands.

    `before` changes the tree before its assertion is signed, `after` the bytes afterwards, and `field` makes the value
    of SAMLResponse from them. `first` says what has to be set at the service provider for the flaw to show.
    """

    code: str
    stage: str
    sentence: str
    before: Change = unchanged
    after: Rewrite = untouched
    field: Callable[[bytes], str] = _encoded
    first: str = ""


def _bare_assertion(message: bytes) -> bytes:
    return etree.tostring(one(etree.fromstring(message), _ASSERTION))


def _one_id_for_both(response: etree._Element, _now: datetime) -> None:
    response.set("ID", one(response, _ASSERTION).get("ID", ""))


def _not_assigned(response: etree._Element, _now: datetime) -> None:
    """What Azure AD answers for somebody who may not use the application: a status and no assertion."""
    name = one(response, _NAME_ID).text
    response.remove(one(response, _ASSERTION))
    one(response, "samlp:Status/samlp:StatusCode").set("Value", samlp.STATUS_RESPONDER)
    said = element_of("<samlp:StatusMessage/>")
    said.text = f"AADSTS50105: The signed in user '{name}' is not assigned to a role for the application."
    one(response, "samlp:Status").append(said)


def _weak_signature(response: etree._Element, _now: datetime) -> None:
    one(response, f"{_SIGNED_INFO}/ds:SignatureMethod").set("Algorithm", xmldsig.SIG_RSA_SHA1)
    one(response, f"{_SIGNED_INFO}/ds:Reference/ds:DigestMethod").set("Algorithm", xmldsig.DIGEST_SHA1)


def _same_id_each_time(response: etree._Element, _now: datetime) -> None:
    """One assertion ID for one person, so that the second response is the first one again to whoever counts them."""
    name = one(response, _NAME_ID).text or ""
    identifier = f"_{sha256(name.encode()).hexdigest()[:32]}"
    one(response, _ASSERTION).set("ID", identifier)
    one(response, f"{_SIGNED_INFO}/ds:Reference").set("URI", f"#{identifier}")


TRANSPORT = (
    Fault("form", "Transport", "The SAMLResponse field is empty.", field=lambda _message: ""),
    Fault(
        "size",
        "Transport",
        "The message is padded with 256 KiB of spaces.",
        after=rewriting(lambda message: message + _PADDING),
    ),
    Fault("base64", "Transport", "The field holds plain XML, not base64.", field=bytes.decode),
)

DOCUMENT = (
    Fault(
        "encoding",
        "Document",
        "The message is UTF-16.",
        after=rewriting(lambda message: message.decode().encode("utf-16")),
    ),
    Fault(
        "no_dtd",
        "Document",
        "A DOCTYPE stands before the Response.",
        after=rewriting(lambda message: b"<!DOCTYPE Response>" + message),
    ),
    Fault(
        "well_formed", "Document", "The last characters were cut off.", after=rewriting(lambda message: message[:-9])
    ),
    Fault(
        "no_comments",
        "Document",
        "A comment stands in the NameID; the signature holds all the same.",
        after=replacing(b"</saml:NameID>", b"<!-- flaw --></saml:NameID>"),
    ),
    Fault(
        "limits",
        "Document",
        "Elements are nested more than 64 deep.",
        before=adding(".", f"<samlp:Extensions>{_NESTED}</samlp:Extensions>", at=1),
    ),
)

STRUCTURE = (
    Fault("root", "Structure", "The Assertion comes without a Response around it.", after=rewriting(_bare_assertion)),
    Fault("unique_ids", "Structure", "Response and Assertion have the same ID.", before=_one_id_for_both),
    Fault("schema", "Structure", "There are two Subjects.", before=adding(_ASSERTION, "<saml:Subject/>", at=2)),
    Fault(
        "status",
        "Structure",
        "The sign-in is refused with AADSTS50105, as for somebody who is not assigned.",
        before=_not_assigned,
    ),
    Fault("one_assertion", "Structure", "There is no Assertion in the Response.", before=without(_ASSERTION)),
)

RESPONSE = (
    Fault("response_version", "Response", "The Response says version 1.1.", before=setting(".", "Version", "1.1")),
    Fault(
        "response_issue_instant",
        "Response",
        "The Response was issued an hour ago.",
        before=moving(".", "IssueInstant", -_HOUR),
    ),
    Fault(
        "destination",
        "Response",
        "The Destination is the real service's address.",
        before=setting(".", "Destination", _REAL_SERVICE),
    ),
    Fault(
        "in_response_to",
        "Response",
        "It answers a request that nobody sent.",
        before=each(setting(".", "InResponseTo", _REQUEST), setting(_DATA, "InResponseTo", _REQUEST)),
    ),
)

ACCOUNT = (
    Fault(
        "issuer",
        "Account",
        "The Issuer lacks the slash at its end.",
        before=each(
            writing("saml:Issuer", lambda issuer: issuer.rstrip("/")),
            writing(f"{_ASSERTION}/saml:Issuer", lambda issuer: issuer.rstrip("/")),
        ),
    ),
    Fault(
        "sso_enabled",
        "Account",
        "A sound response, for an account that takes none.",
        first="Untick Single Sign On under Accounts → Single Sign On.",
    ),
)

DECRYPTION = (
    Fault(
        "encryption_algorithms",
        "Decryption",
        "The assertion is encrypted, with the key by RSA 1.5.",
        after=encrypted_the_old_way,
    ),
    Fault(
        "decryption",
        "Decryption",
        "The assertion is encrypted for another service's key.",
        after=encrypted_for_a_stranger,
    ),
)

SIGNATURE = (
    Fault("signature_present", "Signature", "Nothing is signed.", before=without(_SIGNATURE)),
    Fault(
        "signature_structure",
        "Signature",
        "The signature uses inclusive canonicalization.",
        before=setting(f"{_SIGNED_INFO}/ds:CanonicalizationMethod", "Algorithm", _INCLUSIVE_C14N),
    ),
    Fault("signature_algorithms", "Signature", "The signature uses RSA-SHA1 and SHA-1.", before=_weak_signature),
    Fault(
        "signing_key",
        "Signature",
        "Another key signs, as after a change of certificates.",
        after=signed_by_a_stranger,
    ),
    Fault(
        "signature",
        "Signature",
        "The NameID was changed after it was signed.",
        after=replacing(b"</saml:NameID>", b".changed</saml:NameID>"),
    ),
)

ASSERTION = (
    Fault(
        "assertion_version",
        "Assertion",
        "The Assertion says version 1.1.",
        before=setting(_ASSERTION, "Version", "1.1"),
    ),
    Fault(
        "assertion_issuer",
        "Assertion",
        "The Assertion names another tenant as its Issuer.",
        before=writing(f"{_ASSERTION}/saml:Issuer", lambda _issuer: _OTHER_TENANT),
    ),
    Fault(
        "assertion_issue_instant",
        "Assertion",
        "The Assertion was issued an hour ago.",
        before=moving(_ASSERTION, "IssueInstant", -_HOUR),
    ),
    Fault("subject", "Assertion", "There is no NameID.", before=without(_NAME_ID)),
    Fault(
        "bearer",
        "Assertion",
        "The only confirmation is of the method sender-vouches.",
        before=setting(_CONFIRMATION, "Method", _SENDER_VOUCHES),
    ),
    Fault(
        "recipient",
        "Assertion",
        "The Recipient is the real service's address.",
        before=setting(_DATA, "Recipient", _REAL_SERVICE),
    ),
    Fault(
        "confirmation_expiry",
        "Assertion",
        "The confirmation ended an hour ago.",
        before=moving(_DATA, "NotOnOrAfter", -_HOUR),
    ),
    Fault(
        "confirmation_not_before",
        "Assertion",
        "The confirmation has a NotBefore.",
        before=moving(_DATA, "NotBefore", -5 * _MINUTE),
    ),
    Fault(
        "confirmation_in_response_to",
        "Assertion",
        "The confirmation answers another request than the Response.",
        before=setting(_DATA, "InResponseTo", _REQUEST),
    ),
    Fault("conditions", "Assertion", "There are no Conditions.", before=without(_CONDITIONS)),
    Fault(
        "audience",
        "Assertion",
        "The Audience ends in one more slash.",
        before=writing(_AUDIENCE, lambda audience: f"{audience}/"),
    ),
    Fault(
        "not_before",
        "Assertion",
        "The Assertion is valid from an hour ahead on.",
        before=moving(_CONDITIONS, "NotBefore", _HOUR),
    ),
    Fault(
        "not_on_or_after",
        "Assertion",
        "The Assertion was valid until an hour ago.",
        before=each(moving(_CONDITIONS, "NotBefore", -2 * _HOUR), moving(_CONDITIONS, "NotOnOrAfter", -_HOUR)),
    ),
    Fault(
        "validity_window",
        "Assertion",
        "The Assertion is valid for more than a day.",
        before=moving(_CONDITIONS, "NotOnOrAfter", 25 * _HOUR),
    ),
    Fault("authn_statement", "Assertion", "There is no AuthnStatement.", before=without(_AUTHN)),
    Fault(
        "session_expiry",
        "Assertion",
        "The session at the identity provider ended an hour ago.",
        before=moving(_AUTHN, "SessionNotOnOrAfter", -_HOUR),
    ),
    Fault(
        "authn_context",
        "Assertion",
        "It does not tell how the person signed in, whatever the request asked for.",
        before=writing(f"{_AUTHN}/saml:AuthnContext/saml:AuthnContextClassRef", lambda _context: _UNSPECIFIED),
        first="Enter Requested authentication contexts under Sign-in requests, then sign in from there.",
    ),
    Fault(
        "attributes",
        "Assertion",
        "There are two e-mail addresses.",
        before=adding(_EMAIL, "<saml:AttributeValue>second@contoso.example</saml:AttributeValue>", at=1),
    ),
)

HOLDER = (
    Fault(
        "replay",
        "Account holder",
        "Every response is the same assertion again: the first is accepted, the next is not.",
        before=_same_id_each_time,
    ),
    Fault(
        "username",
        "Account holder",
        "A space follows the user name.",
        before=writing(_NAME_ID, lambda name: f"{name} "),
    ),
    Fault(
        "user_link",
        "Account holder",
        "The NameID is the name of a stranger.",
        before=writing(_NAME_ID, lambda name: f"stranger.{name}"),
        first="Switch just-in-time provisioning off under Accounts → Single Sign On.",
    ),
    Fault(
        "user_active",
        "Account holder",
        "A sound response, for a user who is disabled.",
        first="Disable the user under Accounts → User Profiles.",
    ),
)

FAULTS = (*TRANSPORT, *DOCUMENT, *STRUCTURE, *RESPONSE, *ACCOUNT, *DECRYPTION, *SIGNATURE, *ASSERTION, *HOLDER)

_BY_CODE = {fault.code: fault for fault in FAULTS}


def fault_named(code: str) -> Fault | None:
    """The fault of this code; None where there is none."""
    return _BY_CODE.get(code)


SOUND = Fault("", "", "Nothing is wrong.")
