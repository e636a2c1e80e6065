"""Genuine messages with something in them that must not be read, and names that nobody may have (SUB, ATT, JIT).

Owns the cases as data. Never runs them. A case that is accepted must be read as exactly its control is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cast import MALLORY
from responses import BRITTAS_ATTRIBUTES, CLAIMS, Mutation, all_of, with_attribute, with_child, without
from saml.attacks.times import mutate
from saml.cases import Case
from saml.one_flaw import AUTHN

from sp.saml import names

STATEMENT = ".//saml:AttributeStatement"
SUBJECT = ".//saml:Subject"


def attribute(name: str, value: str, extra: str = "") -> str:
    return f"<saml:Attribute Name='{name}' {extra}><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"


def added(name: str, value: str, extra: str = "") -> dict[str, Any]:
    return mutate(with_child(STATEMENT, attribute(name, value, extra)))


def advice(content: str) -> dict[str, Any]:
    """An assertion inside the signed one's Advice, with the element that `content` is."""
    inner = (
        "<saml:Advice><saml:Assertion ID='_inner' Version='2.0' IssueInstant='2030-01-31T12:00:00Z'>"
        f"<saml:Issuer>x</saml:Issuer>{content}</saml:Assertion></saml:Advice>"
    )
    return mutate(with_child("saml:Assertion", inner, 3))


def evil_extensions() -> Mutation:
    return with_child(".", f"<samlp:Extensions><x xmlns='u:x'>{MALLORY.email}</x></samlp:Extensions>", 1)


def evil_confirmation() -> Mutation:
    return with_child(f"{SUBJECT}/saml:SubjectConfirmation", f"<saml:NameID>{MALLORY.email}</saml:NameID>", 0)


UNREAD = (
    Case(
        "SIG-05", "Consent is added to an unsigned Response", flaw={"sealed": with_attribute(".", "Consent", "urn:x")}
    ),
    Case("SIG-05 extensions", "Mallory in Extensions of an unsigned Response", flaw={"sealed": evil_extensions()}),
    Case("SUB-21", "a confirmation with a name of its own", flaw=mutate(evil_confirmation())),
    Case(
        "ATT-04",
        "a name in Advice",
        flaw=advice(f"<saml:Subject><saml:NameID>{MALLORY.email}</saml:NameID></saml:Subject>"),
    ),
    Case(
        "ATT-04 attribute",
        "an attribute in Advice",
        flaw=advice(f"<saml:AttributeStatement>{attribute(CLAIMS.email, MALLORY.email)}</saml:AttributeStatement>"),
    ),
    Case("ATT-06", "a FriendlyName", flaw=added("urn:x", MALLORY.email, f"FriendlyName='{CLAIMS.email}'")),
    Case("ATT-07", "the attribute's name in capitals", flaw=added(CLAIMS.email.upper(), MALLORY.email)),
    Case("ATT-07 space", "the attribute's name with a space", flaw=added(CLAIMS.email + " ", MALLORY.email)),
    Case("ATT-07 letter", "a letter of another alphabet", flaw=added(CLAIMS.email.replace("e", "е", 1), MALLORY.email)),
    Case(
        "AUT-10",
        "a SessionIndex of 10 000 characters",
        flaw=mutate(with_attribute(AUTHN, "SessionIndex", "x" * 10_000)),
    ),
    Case("AUT-10 none", "no SessionIndex", flaw=mutate(with_attribute(AUTHN, "SessionIndex", None))),
    Case(
        "AUT-11",
        "a place and an authority that nobody reads",
        flaw=mutate(
            all_of(
                with_child(AUTHN, "<saml:SubjectLocality Address='&lt;script&gt;' DNSName='x'/>", 0),
                with_child(
                    f"{AUTHN}/saml:AuthnContext", "<saml:AuthenticatingAuthority>x</saml:AuthenticatingAuthority>"
                ),
            )
        ),
    ),
    Case("POS-01", "the Assertion is signed", flaw={"signed": "assertion"}),
    Case("POS-02", "the Response is signed", flaw={"signed": "response"}),
    Case("POS-03", "both are signed", flaw={"signed": "both"}),
    Case("POS-09", "no attributes", given={"attributes": {}}),
    Case("POS-12", "unsolicited, where that is allowed"),
)

# Attributes whose names look like columns: ATT-11 and ATT-12.
PRIVILEGES = ("role", "groups", "isAdmin", "admin", "id", "account_id", "realm_id", "company", "password", "status")


def privileges() -> Iterator[Case]:
    for name in PRIVILEGES:
        known = "ATT-11" if name in PRIVILEGES[:4] else "ATT-12"
        yield Case(f"{known} {name}", f"an attribute named {name}", flaw=added(name, "1"))


VALUES = (
    Case("ATT-08", "another NameFormat", flaw=mutate(with_attribute(".//saml:Attribute", "NameFormat", "urn:x"))),
    Case(
        "ATT-13",
        "a line break in the e-mail address",
        ("attributes",),
        flaw={"attributes": {**BRITTAS_ATTRIBUTES, CLAIMS.email: ("b@contoso.example\r\nBcc: m@evil.example",)}},
    ),
    Case(
        "ATT-13 two",
        "two e-mail addresses",
        ("attributes",),
        flaw={"attributes": {**BRITTAS_ATTRIBUTES, CLAIMS.email: ("b@contoso.example", MALLORY.email)}},
    ),
    Case(
        "SUB-05",
        "our entity ID as Recipient",
        ("recipient",),
        held={"entity_id": "urn:us"},
        given={"audience": "urn:us"},
        flaw={"recipient": "urn:us"},
    ),
    Case(
        "SUB-17",
        "sender-vouches",
        ("bearer",),
        flaw=mutate(
            with_attribute(
                f"{SUBJECT}/saml:SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
            )
        ),
    ),
    Case(
        "SUB-26",
        "a transient name while provisioning is on",
        ("subject",),
        flaw={"name_id_format": names.TRANSIENT_FORMAT},
    ),
    Case("SUB-30", "a name of 257 characters", ("subject",), flaw={"name_id": "x" * 257}),
    Case("SUB-30 100k", "a name of 100 000 characters", ("subject",), flaw={"name_id": "x" * 100_000}),
    Case(
        "CND-03",
        "no AudienceRestriction",
        ("audience",),
        flaw=mutate(without(".//saml:AudienceRestriction")),
    ),
    Case(
        "BND-23",
        "for another consumer of ours",
        ("destination", "recipient"),
        flaw={"destination": "https://sso.8x8.com/saml2", "recipient": "https://sso.8x8.com/saml2"},
    ),
    Case("ISS-13", "Single Sign On is off", ("sso_enabled",), flaw_account={"saml_enabled": False}),
    Case("ISS-13 account", "the account is not active", ("sso_enabled",), flaw_account={"active": False}),
    Case("CRT-17", "no certificate is configured", ("signing_key",), flaw_account={"certificates": ()}),
    Case(
        "SIG-01 none",
        "no certificate is configured and nothing is signed",
        ("signature_present",),
        flaw={"signed": None},
        flaw_account={"certificates": ()},
    ),
)

# A user name that looks like Britta's or hides something (JIT-02 and JIT-03): refused, never made equal.
NAMES = {
    "JIT-02 last": "britta@contoso.example ",
    "JIT-02 first": " britta@contoso.example",
    "JIT-02 inner": "britta @contoso.example",
    "JIT-02 hard": "britta@contoso.example\u00a0",
    "JIT-02 zero": "britta\u200b@contoso.example",
    "JIT-02 joiner": "britta\u200d@contoso.example",
    "JIT-02 mark": "\ufeffbritta@contoso.example",
    "JIT-02 tab": "britta@contoso.example\t",
    "JIT-02 override": "\u202ebritta@contoso.example",
    "JIT-02 filler": "britta\u3164@contoso.example",
    "JIT-02 selector": "britta\ufe0f@contoso.example",
    "JIT-03 decomposed": "bri\u0308tta@contoso.example",
    "JIT-03 wide": "\uff42ritta@contoso.example",
    "JIT-03 circled": "britta\u2460@contoso.example",
    "JIT-03 kelvin": "\u212a@contoso.example",
    "JIT-03 ligature": "\ufb01@contoso.example",
    "JIT-03 long s": "\u017fimon@contoso.example",
}


def user_names() -> Iterator[Case]:
    for identifier, name in NAMES.items():
        yield Case(identifier, f"the user name {name!a}", ("username",), flaw={"name_id": name})


CASES = (*UNREAD, *privileges(), *VALUES, *user_names())
