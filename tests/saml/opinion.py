"""What python3-saml says about a message: accepted or not, and whom it would sign in.

Owns its settings, which ask for all that it can ask for, and the clock that it is given. Never judges.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from sp.saml.messages import Expectations, SignedPart

REQUEST = {"https": "off", "http_host": "localhost:8000", "script_name": "/saml2"}


@dataclass(frozen=True)
class Opinion:
    """Whom it would sign in, or why nobody."""

    name_id: str | None
    reason: str = ""

    @property
    def accepts(self) -> bool:
        return self.name_id is not None


def settings_for(held: Expectations) -> OneLogin_Saml2_Settings:
    """As strict as it can be, with the account's keys and wishes."""
    account = held.account
    if account is None:
        raise ValueError("it knows no message without an account")
    wanted = account.signed_part
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {"entityId": held.entity_id, "assertionConsumerService": {"url": held.acs_url}, **_keys(held)},
            "idp": {
                "entityId": account.issuer,
                "singleSignOnService": {"url": "https://idp.example/sso"},
                "x509certMulti": {"signing": [certificate.pem for certificate in account.certificates]},
            },
            "security": {
                "wantAssertionsSigned": wanted in {SignedPart.ASSERTION, SignedPart.BOTH},
                "wantMessagesSigned": wanted in {SignedPart.RESPONSE, SignedPart.BOTH},
                "wantAttributeStatement": False,
                "rejectDeprecatedAlgorithm": not account.allow_sha1,
                "rejectUnsolicitedResponsesWithInResponseTo": True,
            },
        },
        sp_validation_only=False,
    )


def _keys(held: Expectations) -> dict[str, str]:
    """The first of our keys: it takes one for decryption."""
    if not held.decryption_keys:
        return {}
    key = held.decryption_keys[0]
    private = key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {"privateKey": private, "x509cert": base64.b64encode(key.certificate).decode()}


def ask(xml: bytes, held: Expectations) -> Opinion:
    """Its answer to a posted message. It raises for some; that is a refusal too."""
    request_id = held.pending[0].id if held.pending else None
    try:
        response = OneLogin_Saml2_Response(settings_for(held), base64.b64encode(xml).decode())
        if not response.is_valid(REQUEST, request_id):
            return Opinion(None, str(response.get_error()))
        response.get_attributes()
        return Opinion(response.get_nameid() or "")
    except Exception as error:  # noqa: BLE001  (whatever it is, nobody is signed in)
        return Opinion(None, f"{type(error).__name__}: {error}")


@dataclass(frozen=True)
class Disagreement:
    """What python3-saml does otherwise, and what comes of it."""

    theirs: str
    why: str
    cases: tuple[str, ...]


# By our own code: messages that we refuse and python3-saml accepts. None of them makes it take Mallory for somebody.
_FIRST, *_LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.9999999Z"


def _extremes(identifier: str, *times: str) -> tuple[str, ...]:
    """The cases of a place at these times, in answers and unasked."""
    return tuple(f"{identifier} {way} {time}" for way in ("asked", "unasked") for time in times)


ACCEPTED_THERE: dict[str, Disagreement] = {
    "size": Disagreement(
        "has no limit",
        "the caller must have one",
        ("DOS-02", "DOS-08"),
    ),
    "encoding": Disagreement(
        "reads whatever encoding is declared",
        "two readers of one message can see two different texts",
        (
            "XML-21",
            "XML-22",
            "XML-22 LE",
            "XML-22 BE",
            "XML-24",
            "XML-24 quote",
            "XML-24 alias",
            "XML-24 mark",
            "XML-25 declared",
            "XML-28",
        ),
    ),
    "encryption_algorithms": Disagreement(
        "tries every key it is given, however many, and takes AES-CBC wherever it stands",
        "each key costs a private operation, and CBC without a signature around it can be probed",
        ("ENC-11 strict", "ENC-19"),
    ),
    "decryption": Disagreement(
        "puts what it decrypted into the message, and reads it there",
        "a comment inside is dropped as outside, and prefixes that the sender of the outside chose come into scope",
        ("ENC-20 comment", "ENC-21"),
    ),
    "no_comments": Disagreement(
        "removes comments and processing instructions while it parses, and reads the joined text",
        "safe as long as every reader of that text does the same; CVE-2018-0489 is what happens otherwise",
        ("DSG-26", "XML-13", "XML-14", "XML-14 late", "XML-15", "XML-15 genuine", "XML-15 first", "XML-15 last"),
    ),
    "limits": Disagreement(
        "has the limits of its parser only",
        "one message can keep a worker busy",
        ("LIM-03", "LIM-04", "LIM-06", "LIM-07 more", "DOS-03", "DOS-04 many"),
    ),
    "unique_ids": Disagreement(
        "knows ID alone; Id, id and AssertionID may repeat it",
        "a library that resolves the reference by one of those finds another element",
        ("XSW-29 Id", "XSW-29 id", "XSW-29 AssertionID", "XSW-29 wsu:Id"),
    ),
    "status": Disagreement(
        "looks at the first StatusCode only",
        "Success with AuthnFailed below it is no success",
        ("RSP-25",),
    ),
    "response_issue_instant": Disagreement(
        "never looks at the Response's IssueInstant",
        "an old Response goes unnoticed where the assertion lasts long",
        (
            "RSP-06",
            "RSP-04",
            "RSP-05",
            "RSP-05 second",
            "RSP-06 second",
            "RSP-07 2030-01-31T13:00:00+01:00",
            "RSP-07 2030-01-31T12:00:00",
            "RSP-07 2030-01-30T24:00:00Z",
            *_extremes("RSP-07", _FIRST, *_LAST),
        ),
    ),
    "destination": Disagreement(
        "compares the beginning only, and takes a signed Response without one",
        "a Response for https://sp.example/acs.evil.example counts as ours",
        ("XML-33", "RSP-09", "RSP-11 slash", "RSP-11 query", "RSP-12"),
    ),
    "in_response_to": Disagreement(
        "is told one request or none; used, old and foreign ones are the caller's to know",
        "the caller who forgets it is open to a sign-in that nobody began",
        ("RSP-13", "RSP-16", "RSP-17", "RSP-19", "RSP-19 word", "ISS-02", "ISS-14", "AUT-06 answered"),
    ),
    "issuer": Disagreement(
        "takes whatever issuer it was configured with, an empty one in the message too",
        "a service that trusts itself accepts what it wrote itself",
        ("SIG-29", "ISS-12 empty", "ISS-15"),
    ),
    "sso_enabled": Disagreement(
        "knows no accounts",
        "whether an account is switched off is the caller's to know",
        ("ISS-13", "ISS-13 account"),
    ),
    "signature_structure": Disagreement(
        "verifies whatever transforms there are, style sheets included, before it asks what they were",
        "a style sheet of the sender's runs in the service; a message with one made it print a compiler's error here",
        (
            "DSG-10",
            "DSG-12",
            "DSG-13",
            "DSG-19",
            "DSG-19 method",
            "DSG-20",
            "DSG-20 1.1",
            "DSG-22",
            "DSG-23 long",
            "DSG-32",
            "DSG-32 full",
        ),
    ),
    "signature_algorithms": Disagreement(
        "has no ECDSA-SHA1 in its list of deprecated algorithms",
        "SHA-1 can be collided",
        ("DSG-38 ECDSA",),
    ),
    "signing_key": Disagreement(
        "uses a key of any size",
        "a key of 1024 bits is within reach of those who want it",
        ("DSG-43",),
    ),
    "assertion_issuer": Disagreement(
        "takes an Issuer of any format, and a signed Response without one",
        "an Issuer with a qualifier or of another format names something else than an identity provider",
        ("ISS-06", "ISS-07", "ISS-08", "ISS-08 response", "ISS-09"),
    ),
    "assertion_issue_instant": Disagreement(
        "never looks at the Assertion's IssueInstant",
        "an assertion kept for later, or of a clock that is wrong, goes unnoticed",
        (
            "CND-25",
            "CND-25 future",
            "CND-25 2030-01-31T13:00:00+01:00",
            "CND-25 2030-01-31T12:00:00",
            "CND-25 2030-01-30T24:00:00Z",
            *_extremes("CND-25", _FIRST, *_LAST),
        ),
    ),
    "subject": Disagreement(
        "takes blank and endless names and those of another provider, and leaves transient ones to the caller",
        "each such name would make a user of its own",
        ("SUB-23 blank", "SUB-28", "SUB-26", "SUB-30", "SUB-30 100k"),
    ),
    "bearer": Disagreement(
        "takes a confirmation without a Method, and checks less of each",
        "a confirmation that says nothing confirms nobody",
        ("SUB-03 empty", "SUB-16 both"),
    ),
    "recipient": Disagreement(
        "looks for our address somewhere in the Recipient, and takes none",
        "a Recipient that only contains our address is another address",
        ("SUB-06", "SUB-06 empty", "SUB-08"),
    ),
    "confirmation_expiry": Disagreement(
        "takes a confirmation without an end (Profiles 4.1.4.2 demands one)",
        "the assertion can be delivered for as long as its conditions last",
        ("SUB-09",),
    ),
    "confirmation_not_before": Disagreement(
        "takes a NotBefore that has passed (Profiles 4.1.4.2 forbids any)",
        "a provider that sends one follows another profile",
        ("SUB-12",),
    ),
    "confirmation_in_response_to": Disagreement(
        "lets the signed part answer another request, or none, than the unsigned Response around it",
        "an assertion that somebody else obtained can be delivered as the answer to our request",
        ("RSP-21", "ENC-09", "ENC-09 opened", "SUB-14 unsolicited", "SUB-15"),
    ),
    "conditions": Disagreement(
        "does not ask whether every condition is understood (Core 2.5.1)",
        "a condition that nobody understands may be the one that matters",
        ("CND-20 typed",),
    ),
    "audience": Disagreement(
        "takes an assertion for nobody in particular, and one of two restrictions where both must hold (Core 2.5.1.4)",
        "a token that was minted for another service opens this one",
        ("CND-02", "CND-04 empty", "CND-09", "CND-09 first", "CND-03"),
    ),
    "not_before": Disagreement(
        "allows a fixed 300 seconds and takes times without a zone",
        "a clock that is off by five minutes goes unnoticed, and a time without Z means another one elsewhere",
        ("CND-14", "CND-18 begin 2030-01-31T12:00:00"),
    ),
    "not_on_or_after": Disagreement(
        "takes an assertion without an end, allows a fixed 300 seconds and takes times without a zone",
        "an assertion without an end is valid for ever",
        ("CND-16", "CND-13", "CND-13 second", "CND-18 2030-01-31T12:00:00"),
    ),
    "validity_window": Disagreement(
        "never compares the two ends",
        "a window that ends before it begins shows a provider that is wrong",
        ("CND-15", "CND-15 same", *_extremes("CND-18", *_LAST), *_extremes("CND-18 begin", _FIRST)),
    ),
    "authn_statement": Disagreement(
        "never looks at AuthnInstant",
        "a sign-in of tomorrow shows that a clock or a provider is wrong",
        (
            "AUT-07",
            "AUT-07 2030-01-31T13:00:00+01:00",
            "AUT-07 2030-01-31T12:00:00",
            "AUT-07 2030-01-30T24:00:00Z",
            *_extremes("AUT-07", *_LAST),
        ),
    ),
    "authn_context": Disagreement(
        "compares contexts only where it is told to, and with a list of its own",
        "a password passes where a second factor was asked for",
        (
            "AUT-04",
            "AUT-04 better",
            "AUT-04 minimum",
            "AUT-04 none",
            "AUT-06",
            "AUT-06 second",
            "AUT-06 unasked",
            "AUT-06 unasked second",
            "AUT-04 unasked",
            "AUT-04 unasked better",
            *_extremes("AUT-07", _FIRST),
        ),
    ),
    "attributes": Disagreement(
        "hands over several values and line breaks as they are",
        "the application that takes the first value, or writes it into a header, is the one that is attacked",
        ("ATT-13", "ATT-13 two"),
    ),
    "username": Disagreement(
        "hands the name over as it is",
        "names that look alike are different users: who sees one on a page takes it for the other",
        (
            "SUB-24",
            "JIT-02 last",
            "JIT-02 first",
            "JIT-02 inner",
            "JIT-02 hard",
            "JIT-02 zero",
            "JIT-02 joiner",
            "JIT-02 mark",
            "JIT-02 tab",
            "JIT-02 override",
            "JIT-02 filler",
            "JIT-02 selector",
            "JIT-03 decomposed",
            "JIT-03 wide",
            "JIT-03 circled",
            "JIT-03 kelvin",
            "JIT-03 ligature",
            "JIT-03 long s",
        ),
    ),
}

# The other way round, by what they are called here: messages that we accept and python3-saml refuses.
REFUSED_THERE: dict[str, Disagreement] = {
    "ENC-24": Disagreement(
        "takes one key for decryption",
        "after a change of keys both are needed for a while (SAML2int SDP-SP38)",
        ("ENC-24",),
    ),
    "POS-07": Disagreement(
        "allows no skew for the confirmation's end",
        "a provider whose clock is three minutes behind cannot sign anybody in",
        ("POS-07 confirmed",),
    ),
    "DSG-23": Disagreement(
        "its schemas know no InclusiveNamespaces in SignedInfo",
        "it is legal (Exclusive C14N 2) and harmless: what is digested is what is read",
        ("DSG-23 method",),
    ),
    "ISS-10": Disagreement(
        "compares the Issuer with the white space around it",
        "Azure AD's samples show an Issuer on a line of its own; the signed value differs by nothing else",
        ("ISS-10 space",),
    ),
    "ATT-04": Disagreement(
        "counts assertions in Advice",
        "Advice may hold assertions (Core 2.6.1); nothing in it is ever read here",
        ("ATT-04", "ATT-04 attribute"),
    ),
}
