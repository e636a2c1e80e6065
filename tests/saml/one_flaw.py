"""At least one case for every code of the table, one flaw each.

Owns the cases that say what each row stands for; the attackers' variants are in `saml.attacks`. Never runs them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cast import ACS_URL, CONTOSO_ISSUER, FABRIKAM_ISSUER, MALLORY, NOW
from lxml import etree
from responses import (
    CLAIMS,
    all_of,
    form,
    instant,
    one,
    post_field,
    with_attribute,
    with_child,
    with_text,
    without,
)
from saml.cases import Case

from sp.saml import names
from sp.saml.messages import AccountHolder, PendingRequest, SignedPart, UserLink

DATA = ".//saml:SubjectConfirmationData"
CONDITIONS = ".//saml:Conditions"
AUTHN = ".//saml:AuthnStatement"
NAME_ID = ".//saml:NameID"

MINUTE = timedelta(minutes=1)
REQUEST = PendingRequest("_q1", CONTOSO_ISSUER, NOW - MINUTE)
ANSWER = {"in_response_to": "_q1"}
ASKED = {"pending": (REQUEST,)}

ENCRYPTED = """\
<saml:EncryptedAssertion><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">
<xenc:EncryptionMethod Algorithm="{data}"/>
<ds:KeyInfo><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{key}"/>
<xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>
<xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData>
</xenc:EncryptedData></saml:EncryptedAssertion>"""
GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
CBC = names.XENC + "aes256-cbc"
OAEP = names.XENC + "rsa-oaep-mgf1p"


def encrypted(data: str = GCM, key: str = OAEP) -> dict[str, Any]:
    """The flaw of a response whose assertion is replaced by an encrypted one."""
    child = with_child(".", ENCRYPTED.format(data=data, key=key))
    return {"mutate": all_of(without("saml:Assertion"), child), "signed": "response"}


def bytes_before(old: bytes, new: bytes) -> dict[str, Any]:
    """The flaw of a message in which the first `old` became `new` after it was signed."""

    def tamper(xml: bytes) -> bytes:
        if old not in xml:
            raise LookupError(old)
        return xml.replace(old, new, 1)

    return {"tamper": tamper}


def _bare_assertion(xml: bytes) -> bytes:
    return etree.tostring(one(etree.fromstring(xml), "saml:Assertion"))


TRANSPORT = (
    Case(
        "form", "the field comes twice", ("form",), flaw_form=lambda xml: form(*[("SAMLResponse", post_field(xml))] * 2)
    ),
    Case(
        "size",
        "the message is padded to more than 256 KiB",
        ("size",),
        flaw={"tamper": lambda xml: xml + b" " * 262144},
    ),
    Case(
        "base64", "the field holds plain XML", ("base64",), flaw_form=lambda xml: form(("SAMLResponse", xml.decode()))
    ),
)

DOCUMENT = (
    Case("encoding", "the bytes are UTF-16", ("encoding",), flaw={"tamper": lambda xml: xml.decode().encode("utf-16")}),
    Case("no_dtd", "a DOCTYPE comes first", ("no_dtd",), flaw={"tamper": lambda xml: b"<!DOCTYPE x>" + xml}),
    Case("well_formed", "the end is missing", ("well_formed",), flaw={"tamper": lambda xml: xml[:-3]}),
    Case(
        "no_comments",
        "a comment stands in the NameID",
        ("no_comments",),
        flaw=bytes_before(b"britta@", b"britta<!-- -->@"),
    ),
    Case(
        "limits",
        "elements are nested 65 deep",
        ("limits",),
        flaw={
            "mutate": with_child(
                ".", "<samlp:Extensions>" + '<a xmlns="u:a">' * 63 + "</a>" * 63 + "</samlp:Extensions>", 1
            )
        },
    ),
)

STRUCTURE = (
    Case("root", "a bare Assertion is posted", ("root",), flaw={"tamper": _bare_assertion}),
    Case(
        "unique_ids",
        "Response and Assertion share an ID",
        ("unique_ids",),
        flaw={"response_id": "_1", "assertion_id": "_1"},
    ),
    Case("schema", "two Subjects", ("schema",), flaw={"mutate": with_child("saml:Assertion", "<saml:Subject/>", 2)}),
    Case(
        "status",
        "the identity provider refused",
        ("status",),
        flaw={"mutate": with_attribute(".//samlp:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")},
    ),
    Case(
        "one_assertion",
        "there is none",
        ("one_assertion",),
        flaw={"mutate": without("saml:Assertion"), "signed": "response"},
    ),
)

RESPONSE = (
    Case(
        "response_version",
        "the Response is SAML 1.1",
        ("response_version",),
        flaw={"mutate": with_attribute(".", "Version", "1.1")},
    ),
    Case(
        "response_issue_instant",
        "the Response is 14 minutes old",
        ("response_issue_instant",),
        flaw={"mutate": with_attribute(".", "IssueInstant", instant(NOW - 14 * MINUTE))},
    ),
    Case("destination", "it was sent to another address", ("destination",), flaw={"destination": ACS_URL + "/"}),
    Case(
        "in_response_to",
        "it answers nobody's request",
        ("in_response_to",),
        given=ANSWER,
        held=ASKED,
        flaw_held={"pending": ()},
    ),
    Case("issuer", "no account trusts this issuer", ("issuer",), flaw_account={"issuer": FABRIKAM_ISSUER}),
    Case("sso_enabled", "Single Sign On is switched off", ("sso_enabled",), flaw_account={"saml_enabled": False}),
    Case("sso_enabled", "the account is not active", ("sso_enabled",), flaw_account={"active": False}),
    Case("encryption_algorithms", "3DES", ("encryption_algorithms",), flaw=encrypted(names.XENC + "tripledes-cbc")),
    Case("encryption_algorithms", "RSA 1.5", ("encryption_algorithms",), flaw=encrypted(key=names.XENC + "rsa-1_5")),
    Case("decryption", "there is no key yet", ("decryption",), flaw=encrypted()),
    Case("decryption", "CBC in a signed Response is no flaw of its own", ("decryption",), flaw=encrypted(CBC)),
    Case(
        "decryption",
        "CBC in an unsigned Response is worth a warning",
        ("decryption",),
        flaw={**encrypted(CBC), "signed": None},
        warnings=("encryption_algorithms",),
    ),
)

SIGNATURE = (
    Case("signature_present", "nothing is signed", ("signature_present",), flaw={"signed": None}),
    Case(
        "signature_present",
        "the account wants both signed",
        ("signature_present",),
        given={"signed": "both"},
        account={"signed_part": SignedPart.BOTH},
        flaw={"signed": "assertion"},
    ),
    Case(
        "signature_structure",
        "inclusive canonicalization",
        ("signature_structure",),
        flaw={
            "shape": with_attribute(
                ".//ds:CanonicalizationMethod", "Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
            )
        },
    ),
    Case(
        "signature_algorithms",
        "SHA-1 without the account's leave",
        ("signature_algorithms",),
        flaw={"method": names.RSA_SHA1, "digest": names.SHA1},
    ),
    Case("signing_key", "another key signs", ("signing_key",), flaw_signer=lambda idp: idp.with_key("mallory")),
    Case("signature", "the NameID is changed", ("signature",), flaw={"sealed": with_text(NAME_ID, MALLORY.email)}),
)

ASSERTION = (
    Case(
        "assertion_version",
        "the Assertion is SAML 1.1",
        ("assertion_version",),
        flaw={"mutate": with_attribute("saml:Assertion", "Version", "1.1")},
    ),
    Case(
        "assertion_issuer",
        "the Assertion speaks for another provider",
        ("assertion_issuer",),
        flaw={"mutate": with_text("saml:Assertion/saml:Issuer", FABRIKAM_ISSUER)},
    ),
    Case(
        "assertion_issue_instant",
        "the Assertion is from the future",
        ("assertion_issue_instant",),
        flaw={"mutate": with_attribute("saml:Assertion", "IssueInstant", instant(NOW + 4 * MINUTE))},
    ),
    Case("subject", "there is no NameID", ("subject",), flaw={"mutate": without(NAME_ID)}),
    Case("subject", "a transient name", ("subject",), flaw={"name_id_format": names.TRANSIENT_FORMAT}),
    Case(
        "bearer",
        "only sender-vouches",
        ("bearer",),
        flaw={
            "mutate": with_attribute(
                ".//saml:SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
            )
        },
    ),
    Case("bearer", "a bearer without data", ("bearer",), flaw={"mutate": without(DATA)}),
    Case("recipient", "minted for another address", ("recipient",), flaw={"recipient": "https://other.example/acs"}),
    Case(
        "confirmation_expiry",
        "the confirmation has no end",
        ("confirmation_expiry",),
        flaw={"mutate": with_attribute(DATA, "NotOnOrAfter", None)},
    ),
    Case(
        "confirmation_not_before",
        "the confirmation has a beginning",
        ("confirmation_not_before",),
        flaw={"mutate": with_attribute(DATA, "NotBefore", instant(NOW - MINUTE))},
    ),
    Case(
        "confirmation_in_response_to",
        "the assertion answers nothing while the Response does",
        ("confirmation_in_response_to",),
        given=ANSWER,
        held=ASKED,
        flaw={"mutate": with_attribute(DATA, "InResponseTo", None)},
    ),
    Case("conditions", "there are none", ("conditions",), flaw={"mutate": without(CONDITIONS)}),
    Case("audience", "minted for another service", ("audience",), flaw={"audience": "https://other.example/"}),
    Case("audience", "no AudienceRestriction", ("audience",), flaw={"mutate": without(".//saml:AudienceRestriction")}),
    Case(
        "not_before",
        "not valid yet",
        ("not_before",),
        flaw={"mutate": with_attribute(CONDITIONS, "NotBefore", instant(NOW + 4 * MINUTE))},
    ),
    Case(
        "not_on_or_after",
        "no end",
        ("not_on_or_after",),
        flaw={"mutate": with_attribute(CONDITIONS, "NotOnOrAfter", None)},
    ),
    Case("validity_window", "valid for 25 hours", ("validity_window",), flaw={"lifetime": timedelta(hours=25)}),
    Case(
        "validity_window",
        "the end comes before the beginning",
        ("validity_window",),
        flaw={
            "mutate": all_of(
                with_attribute(CONDITIONS, "NotBefore", instant(NOW + MINUTE)),
                with_attribute(CONDITIONS, "NotOnOrAfter", instant(NOW - MINUTE)),
            )
        },
    ),
    Case("authn_statement", "there is none", ("authn_statement",), flaw={"mutate": without(AUTHN)}),
    Case(
        "session_expiry",
        "the provider's session is over",
        ("session_expiry",),
        flaw={"mutate": with_attribute(AUTHN, "SessionNotOnOrAfter", instant(NOW - 4 * MINUTE))},
    ),
    Case(
        "authn_context",
        "a second factor was asked for",
        ("authn_context",),
        given=ANSWER,
        held=ASKED,
        flaw_held={"pending": (PendingRequest("_q1", CONTOSO_ISSUER, NOW, requested_contexts=("urn:mfa",)),)},
    ),
    Case(
        "attributes",
        "two e-mail addresses",
        ("attributes",),
        flaw={"attributes": {CLAIMS.email: ("britta@contoso.example", "b@contoso.example")}},
    ),
)

HOLDER = (
    Case("replay", "it was used before", ("replay",), flaw_holder=AccountHolder(replayed=True)),
    Case("username", "a trailing space", ("username",), flaw={"name_id": "britta@contoso.example "}),
    Case("user_link", "nobody has the name", ("user_link",), flaw_holder=AccountHolder(link=UserLink.NONE)),
    Case("user_link", "several have it", ("user_link",), flaw_holder=AccountHolder(link=UserLink.MANY)),
    Case("user_link", "somebody else has it", ("user_link",), flaw_holder=AccountHolder(link=UserLink.UNAVAILABLE)),
    Case("user_link", "too many new ones", ("user_link",), flaw_holder=AccountHolder(link=UserLink.FULL)),
    Case("user_active", "disabled", ("user_active",), flaw_holder=AccountHolder(link=UserLink.ONE, status="disabled")),
    Case("user_active", "deleted", ("user_active",), flaw_holder=AccountHolder(link=UserLink.ONE, status="deleted")),
)

ONE_FLAW = (*TRANSPORT, *DOCUMENT, *STRUCTURE, *RESPONSE, *SIGNATURE, *ASSERTION, *HOLDER)
