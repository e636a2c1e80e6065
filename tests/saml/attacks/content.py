"""Genuinely signed messages that say the wrong thing (RSP, ISS, SUB, CND, AUT, ATT).

Owns the cases as data. Never runs them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cast import ACS_URL, CONTOSO_ISSUER, ENTITY_ID, FABRIKAM_ISSUER, NOW
from responses import CLAIMS, Mutation, all_of, instant, with_attribute, with_child, with_text, without
from saml.cases import Case
from saml.one_flaw import ANSWER, ASKED, AUTHN, CONDITIONS, DATA, NAME_ID, REQUEST

from sp.saml import names
from sp.saml.messages import Comparison, PendingRequest

MINUTE = timedelta(minutes=1)
STATUS = names.STATUS_URI
CODE = ".//samlp:StatusCode"
CONFIRMATION = ".//saml:SubjectConfirmation"
AUDIENCE = ".//saml:Audience"
RESTRICTION = ".//saml:AudienceRestriction"
ISSUER = "saml:Issuer"
ASSERTION_ISSUER = "saml:Assertion/saml:Issuer"


def mutate(mutation: Mutation) -> dict[str, Any]:
    return {"mutate": mutation}


def attribute(path: str, name: str, value: str | None) -> dict[str, Any]:
    return mutate(with_attribute(path, name, value))


def text(path: str, value: str) -> dict[str, Any]:
    return mutate(with_text(path, value))


def child(path: str, xml: str, at: int | None = None) -> dict[str, Any]:
    return mutate(with_child(path, xml, at))


def sub_status(code: str) -> dict[str, Any]:
    return child(CODE, f'<samlp:StatusCode Value="{code}"/>')


def confirmation(recipient: str = ACS_URL, end: str = instant(NOW + 5 * MINUTE), extra: str = "") -> str:
    return (
        f'<saml:SubjectConfirmation Method="{names.BEARER}">'
        f'<saml:SubjectConfirmationData Recipient="{recipient}" NotOnOrAfter="{end}" {extra}/>'
        "</saml:SubjectConfirmation>"
    )


def both_issuers(value: str) -> Mutation:
    return all_of(with_text(ISSUER, value), with_text(ASSERTION_ISSUER, value))


PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # of every response here


def asked(**changes: Any) -> dict[str, Any]:
    """The pending request, changed."""
    return {
        "pending": (PendingRequest(**{"id": "_q1", "identity_provider": CONTOSO_ISSUER, "sent_at": NOW, **changes}),)
    }


RESPONSE = (
    Case("RSP-01", "no ID", ("schema",), flaw=attribute(".", "ID", None)),
    Case("RSP-01 empty", "an empty ID", ("schema",), flaw=attribute(".", "ID", "")),
    Case("RSP-01 digit", "an ID that begins with a digit", ("schema",), flaw={"response_id": "1a"}),
    Case("RSP-01 space", "an ID with a space", ("schema",), flaw={"response_id": "_a b"}),
    Case("RSP-02", "no Version", ("schema",), flaw=attribute(".", "Version", None)),
    Case("RSP-03", "no IssueInstant", ("schema",), flaw=attribute(".", "IssueInstant", None)),
    Case(
        "RSP-06",
        "from the year 2099",
        ("response_issue_instant",),
        flaw=attribute(".", "IssueInstant", "2099-01-01T00:00:00Z"),
    ),
    Case(
        "RSP-09",
        "no Destination in a signed Response",
        ("destination",),
        given={"signed": "response"},
        flaw=attribute(".", "Destination", None),
    ),
    Case("RSP-09 unsigned", "no Destination in an unsigned Response", flaw=attribute(".", "Destination", None)),
    Case("RSP-10", "an empty Destination", ("destination",), flaw={"destination": ""}),
    Case("RSP-11 slash", "a slash more", ("destination",), flaw={"destination": ACS_URL + "/"}),
    Case("RSP-11 case", "another case", ("destination",), flaw={"destination": ACS_URL.replace("saml2", "SAML2")}),
    Case("RSP-11 port", "another port", ("destination",), flaw={"destination": "http://localhost/saml2"}),
    Case("RSP-11 user", "a user in front", ("destination",), flaw={"destination": "http://x@localhost:8000/saml2"}),
    Case("RSP-11 path", "a way around", ("destination",), flaw={"destination": "http://localhost:8000/x/../saml2"}),
    Case("RSP-11 query", "a query", ("destination",), flaw={"destination": ACS_URL + "?x=1"}),
    Case(
        "RSP-12",
        "our address at the beginning of another",
        ("destination",),
        flaw={"destination": ACS_URL + ".evil.example"},
    ),
    Case(
        "RSP-13",
        "unsolicited where that is not allowed",
        ("in_response_to",),
        given=ANSWER,
        held=ASKED,
        account={"unsolicited": False},
        flaw={"in_response_to": None},
    ),
    Case(
        "RSP-15",
        "the request of another browser",
        ("in_response_to",),
        given=ANSWER,
        held=ASKED,
        flaw={"in_response_to": "_q2"},
    ),
    Case(
        "RSP-16",
        "a request that is answered",
        ("in_response_to",),
        given=ANSWER,
        held=ASKED,
        flaw_held=asked(used=True),
    ),
    Case(
        "RSP-17",
        "a request of half an hour ago",
        ("in_response_to",),
        given=ANSWER,
        held=ASKED,
        flaw_held=asked(sent_at=NOW - 30 * MINUTE),
    ),
    Case(
        "RSP-18 case",
        "the request in another case",
        ("in_response_to",),
        given=ANSWER,
        held=ASKED,
        flaw={"in_response_to": "_Q1"},
    ),
    Case(
        "RSP-18 more",
        "the request and more",
        ("in_response_to",),
        given=ANSWER,
        held=ASKED,
        flaw={"in_response_to": "_q11"},
    ),
    Case("RSP-19", "a request where there was none", ("in_response_to",), flaw={"in_response_to": "_q1"}),
    Case(
        "RSP-19 word",
        "a word in place of a request",
        ("in_response_to",),
        flaw={"in_response_to": "IdP_Initiated_Login"},
    ),
    Case(
        "RSP-19 empty",
        "an empty InResponseTo",
        ("schema",),
        flaw=mutate(all_of(with_attribute(".", "InResponseTo", ""), with_attribute(DATA, "InResponseTo", ""))),
    ),
    Case(
        "RSP-21",
        "our request around an unsolicited assertion",
        ("confirmation_in_response_to",),
        held=ASKED,
        flaw={"sealed": with_attribute(".", "InResponseTo", REQUEST.id)},
    ),
    Case(
        "RSP-22", "a failure with a signed assertion", ("status",), flaw=attribute(CODE, "Value", STATUS + "Requester")
    ),
    Case("RSP-23", "no Status", ("schema",), flaw=mutate(without("samlp:Status"))),
    Case("RSP-24", "an empty Status", ("schema",), flaw=mutate(without(CODE))),
    Case("RSP-24 value", "a StatusCode of nothing", ("schema",), flaw=attribute(CODE, "Value", None)),
    Case("RSP-25", "Success that is none", ("status",), flaw=sub_status(STATUS + "AuthnFailed")),
    Case("RSP-25 vendor", "Success with a vendor's word", flaw=sub_status("urn:vendor:fine")),
    Case("RSP-27 case", "success in lower case", ("status",), flaw=attribute(CODE, "Value", STATUS + "success")),
    Case("RSP-27 space", "success with a space", ("status",), flaw=attribute(CODE, "Value", STATUS + "Success ")),
    Case("RSP-27 old", "SAML 1.1's success", ("status",), flaw=attribute(CODE, "Value", "samlp:Success")),
    Case(
        "RSP-28",
        "a message of markup and 100 000 characters",
        ("status",),
        flaw=mutate(
            all_of(
                with_attribute(CODE, "Value", STATUS + "Responder"),
                with_child(
                    "samlp:Status", f"<samlp:StatusMessage>&lt;script&gt;{'x' * 100_000}\n</samlp:StatusMessage>"
                ),
            )
        ),
    ),
    Case(
        "RSP-29",
        "nobody may sign in passively",
        ("status",),
        flaw=mutate(
            all_of(
                with_attribute(CODE, "Value", STATUS + "Responder"),
                with_child(CODE, f'<samlp:StatusCode Value="{STATUS}NoPassive"/>'),
            )
        ),
    ),
    Case(
        "RSP-30", "no assertion", ("one_assertion",), flaw={"signed": "response", **mutate(without("saml:Assertion"))}
    ),
    Case(
        "ENC-09",
        "an answer to our request whose assertion answers nothing",
        ("confirmation_in_response_to",),
        given=ANSWER,
        held=ASKED,
        flaw=attribute(DATA, "InResponseTo", None),
    ),
)

ISSUERS = (
    Case(
        "ISS-01",
        "an unsigned Response of Contoso around Fabrikam's word",
        ("assertion_issuer",),
        flaw=text(ASSERTION_ISSUER, FABRIKAM_ISSUER),
    ),
    Case(
        "ISS-01 around",
        "an unsigned Response of Fabrikam around Contoso's word",
        ("issuer",),
        flaw={"sealed": with_text(ISSUER, FABRIKAM_ISSUER)},
    ),
    Case(
        "ISS-02",
        "an answer to a request that went to Fabrikam",
        ("in_response_to",),
        given=ANSWER,
        held=ASKED,
        flaw_held=asked(identity_provider=FABRIKAM_ISSUER),
    ),
    Case(
        "ISS-14",
        "an answer to a request that was begun for another account",
        ("in_response_to",),
        given=ANSWER,
        held=asked(account="business"),
        flaw_held=asked(account="fabrikam"),
    ),
    Case(
        "ISS-06",
        "no Issuer in a signed Response",
        ("assertion_issuer",),
        given={"signed": "response"},
        flaw=mutate(without(ISSUER)),
    ),
    Case("ISS-06 unsigned", "no Issuer in an unsigned Response", flaw=mutate(without(ISSUER))),
    Case("ISS-07", "an empty Issuer around", ("assertion_issuer",), flaw=text(ISSUER, "")),
    Case(
        "ISS-08",
        "an Issuer of another format",
        ("assertion_issuer",),
        flaw=attribute(ASSERTION_ISSUER, "Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
    ),
    Case(
        "ISS-08 response",
        "the Response's Issuer of another format",
        ("assertion_issuer",),
        flaw=attribute(ISSUER, "Format", "urn:x"),
    ),
    Case(
        "ISS-08 entity",
        "an Issuer of the entity format",
        flaw=attribute(ASSERTION_ISSUER, "Format", names.ENTITY_FORMAT),
    ),
    Case(
        "ISS-09",
        "an Issuer with a qualifier",
        ("assertion_issuer",),
        flaw=attribute(ASSERTION_ISSUER, "NameQualifier", "x"),
    ),
    Case("ISS-10 slash", "no slash at the end", ("issuer",), flaw=mutate(both_issuers(CONTOSO_ISSUER.rstrip("/")))),
    Case(
        "ISS-10 case",
        "another case",
        ("issuer",),
        flaw=mutate(both_issuers(CONTOSO_ISSUER.replace("contoso", "Contoso"))),
    ),
    Case(
        "ISS-10 percent",
        "percent-encoded",
        ("issuer",),
        flaw=mutate(both_issuers(CONTOSO_ISSUER.replace("c", "%63", 1))),
    ),
    Case("ISS-10 space", "white space around, as Azure sends it", flaw=mutate(both_issuers(f"\n  {CONTOSO_ISSUER} "))),
    Case("ISS-10 hard", "a hard space around", ("issuer",), flaw=mutate(both_issuers(f"{CONTOSO_ISSUER}\u00a0"))),
    Case("ISS-12", "an Issuer of 5000 characters", ("issuer",), flaw=mutate(both_issuers("x" * 5000))),
    Case("ISS-12 empty", "an empty Issuer", ("issuer",), flaw=mutate(both_issuers(""))),
    Case(
        "ISS-15",
        "our own entity ID as Issuer",
        ("issuer",),
        flaw=mutate(both_issuers(ENTITY_ID)),
        flaw_account={"issuer": ENTITY_ID},
    ),
)

SUBJECT = (
    Case("SUB-02", "no confirmation", ("bearer",), flaw=mutate(without(CONFIRMATION))),
    Case("SUB-03", "an unknown method", ("bearer",), flaw=attribute(CONFIRMATION, "Method", "urn:x")),
    Case("SUB-03 empty", "an empty method", ("bearer",), flaw=attribute(CONFIRMATION, "Method", "")),
    Case("SUB-03 none", "no method", ("schema",), flaw=attribute(CONFIRMATION, "Method", None)),
    Case("SUB-04", "for another address", ("recipient",), flaw={"recipient": "https://other.example/acs"}),
    Case("SUB-06", "no Recipient", ("recipient",), flaw=attribute(DATA, "Recipient", None)),
    Case("SUB-06 empty", "an empty Recipient", ("recipient",), flaw={"recipient": ""}),
    Case("SUB-08", "another consumer of ours", ("recipient",), flaw={"recipient": ACS_URL + "/fabrikam"}),
    Case("SUB-11", "an end that is no time", ("schema",), flaw=attribute(DATA, "NotOnOrAfter", "soon")),
    Case(
        "SUB-14",
        "another request than the Response's",
        ("confirmation_in_response_to",),
        given=ANSWER,
        held=ASKED,
        flaw=attribute(DATA, "InResponseTo", "_q2"),
    ),
    Case(
        "SUB-14 unsolicited",
        "a request in an unsolicited Response",
        ("confirmation_in_response_to",),
        flaw=attribute(DATA, "InResponseTo", "_q2"),
    ),
    Case(
        "SUB-15",
        "one without data, one for another request",
        ("confirmation_in_response_to",),
        flaw=mutate(
            all_of(
                with_attribute(DATA, "InResponseTo", "_q2"),
                with_child(".//saml:Subject", f'<saml:SubjectConfirmation Method="{names.BEARER}"/>', 1),
            )
        ),
    ),
    Case(
        "SUB-16",
        "one that fails and one that holds",
        flaw=child(".//saml:Subject", confirmation("https://other.example/"), 1),
    ),
    Case(
        "SUB-16 both",
        "two that fail, each in its way",
        ("bearer", "recipient"),
        flaw=mutate(
            all_of(
                with_child(".//saml:Subject", confirmation("https://other.example/"), 1),
                with_attribute(CONFIRMATION + "[2]/*", "NotBefore", instant(NOW)),
            )
        ),
    ),
    Case(
        "SUB-18",
        "holder of key",
        ("bearer",),
        flaw=attribute(CONFIRMATION, "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
    ),
    Case("SUB-20", "an Address with a port", flaw=attribute(DATA, "Address", "10.0.0.1:44732")),
    Case("SUB-22", "no NameID", ("subject",), flaw=mutate(without(NAME_ID))),
    Case("SUB-22 subject", "no Subject", ("subject", "bearer"), flaw=mutate(without(".//saml:Subject"))),
    Case("SUB-23", "an empty NameID", ("subject",), flaw={"name_id": ""}),
    Case("SUB-23 blank", "a blank NameID", ("subject",), flaw={"name_id": " \t"}),
    Case(
        "SUB-27",
        "a name for another service",
        ("subject",),
        flaw=attribute(NAME_ID, "SPNameQualifier", "https://other.example/"),
    ),
    Case("SUB-27 ours", "a name for this service", flaw=attribute(NAME_ID, "SPNameQualifier", ENTITY_ID)),
    Case(
        "SUB-28", "a name of another provider", ("subject",), flaw=attribute(NAME_ID, "NameQualifier", FABRIKAM_ISSUER)
    ),
    Case("SUB-28 ours", "a name of this provider", flaw=attribute(NAME_ID, "NameQualifier", CONTOSO_ISSUER)),
    Case("SUB-29", "a NameID with an element in it", ("schema",), flaw=child(NAME_ID, "<x xmlns='u:x'/>")),
    Case(
        "SUB-31",
        "a BaseID",
        ("schema",),
        flaw=mutate(all_of(without(NAME_ID), with_child(".//saml:Subject", "<saml:BaseID/>", 0))),
    ),
    Case("SUB-32", "two NameIDs", ("schema",), flaw=child(".//saml:Subject", "<saml:NameID>x</saml:NameID>", 1)),
)

CONDITION = (
    Case("CND-01", "no Conditions", ("conditions",), flaw=mutate(without(CONDITIONS))),
    Case(
        "CND-02",
        "Conditions of nothing",
        ("audience", "not_on_or_after"),
        flaw=mutate(
            all_of(
                without(RESTRICTION),
                with_attribute(CONDITIONS, "NotBefore", None),
                with_attribute(CONDITIONS, "NotOnOrAfter", None),
            )
        ),
    ),
    Case("CND-04", "a restriction to nobody", ("schema",), flaw=mutate(without(AUDIENCE))),
    Case("CND-04 empty", "an empty Audience", ("audience",), flaw={"audience": ""}),
    Case(
        "CND-06",
        "the ACS URL where the entity ID is another",
        ("audience",),
        held={"entity_id": "urn:us"},
        given={"audience": "urn:us"},
        flaw={"audience": ACS_URL},
    ),
    Case("CND-07 slash", "a slash more", ("audience",), flaw={"audience": ENTITY_ID + "/"}),
    Case("CND-07 case", "another case", ("audience",), flaw={"audience": ENTITY_ID.upper()}),
    Case("CND-07 part", "a part of it", ("audience",), flaw={"audience": ENTITY_ID[:-1]}),
    Case("CND-07 percent", "percent-encoded", ("audience",), flaw={"audience": ENTITY_ID.replace("saml2", "%73aml2")}),
    Case("CND-08", "white space around", ("audience",), flaw={"audience": f" {ENTITY_ID} "}),
    Case(
        "CND-09",
        "two restrictions, one of them to others",
        ("audience",),
        flaw=child(CONDITIONS, "<saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>"),
    ),
    Case(
        "CND-09 first",
        "the same, the others first",
        ("audience",),
        flaw=child(
            CONDITIONS, "<saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>", 0
        ),
    ),
    Case(
        "CND-10",
        "one restriction to many, us among them",
        flaw=child(RESTRICTION, "<saml:Audience>x</saml:Audience>", 0),
    ),
    Case("CND-16", "no end", ("not_on_or_after",), flaw=attribute(CONDITIONS, "NotOnOrAfter", None)),
    Case(
        "CND-20",
        "a condition of its own making",
        ("schema",),
        flaw=child(
            CONDITIONS,
            "<saml:Condition xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:e='u:e' xsi:type='e:Foo'/>",
        ),
    ),
    Case(
        "CND-20 typed",
        "a condition of a known type under the general name",
        ("conditions",),
        flaw=child(
            CONDITIONS,
            "<saml:Condition xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='saml:OneTimeUseType'/>",
        ),
    ),
    Case("CND-21", "to be used once", flaw=child(CONDITIONS, "<saml:OneTimeUse/>")),
    Case("CND-22", "not to be passed on", flaw=child(CONDITIONS, "<saml:ProxyRestriction Count='0'/>")),
    Case("CND-24", "no Version", ("schema",), flaw=attribute("saml:Assertion", "Version", None)),
    Case(
        "CND-26",
        "an Assertion without ID",
        ("schema",),
        given={"signed": "response"},
        flaw=attribute("saml:Assertion", "ID", None),
    ),
    Case("CND-26 long", "an ID of 4000 characters", flaw={"assertion_id": "_" + "x" * 4000}),
)

STATEMENTS = (
    Case("AUT-01", "no AuthnStatement", ("authn_statement",), flaw=mutate(without(AUTHN))),
    Case(
        "AUT-02",
        "two of them",
        ("authn_statement",),
        flaw=child(
            "saml:Assertion",
            f"<saml:AuthnStatement AuthnInstant='{instant(NOW)}'><saml:AuthnContext>"
            "<saml:AuthnContextClassRef>x</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>",
        ),
    ),
    Case("AUT-03", "one without a context", ("schema",), flaw=mutate(without(".//saml:AuthnContext"))),
    Case(
        "AUT-04",
        "weaker than asked for",
        ("authn_context",),
        given=ANSWER,
        held=ASKED,
        flaw_held=asked(requested_contexts=("urn:mfa",)),
    ),
    Case(
        "AUT-04 same",
        "as asked for",
        given=ANSWER,
        held=ASKED,
        flaw_held=asked(
            requested_contexts=("urn:mfa", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport")
        ),
    ),
    Case(
        "AUT-04 better",
        "the same, where better was asked for",
        ("authn_context",),
        given=ANSWER,
        held=ASKED,
        flaw_held=asked(
            comparison="better",
            requested_contexts=("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",),
        ),
    ),
    Case(
        "AUT-04 unknown",
        "another, where better was asked for",
        given=ANSWER,
        held=ASKED,
        flaw_held=asked(comparison="better", requested_contexts=("urn:x",)),
        warnings=("authn_context",),
    ),
    Case(
        "AUT-04 more",
        "another, where a minimum was asked for",
        given=ANSWER,
        held=ASKED,
        flaw_held=asked(comparison="minimum", requested_contexts=("urn:x",)),
        warnings=("authn_context",),
    ),
    Case(
        "AUT-04 minimum",
        "unspecified, where a minimum was asked for",
        ("authn_context",),
        given=ANSWER,
        held=ASKED,
        flaw_held=asked(comparison="minimum", requested_contexts=("urn:mfa",)),
        flaw=text(".//saml:AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"),
    ),
    Case(
        "AUT-04 none",
        "no class, where one was asked for",
        ("authn_context",),
        given=ANSWER,
        held=ASKED,
        flaw_held=asked(comparison="maximum", requested_contexts=("urn:mfa",)),
        flaw=mutate(
            all_of(
                without(".//saml:AuthnContextClassRef"),
                with_child(".//saml:AuthnContext", "<saml:AuthnContextDeclRef>urn:mfa</saml:AuthnContextDeclRef>"),
            )
        ),
    ),
    Case(
        "AUT-06",
        "signed in a year ago, where a fresh sign-in was asked for",
        ("authn_context",),
        given=ANSWER,
        held=asked(force_authn=True),
        flaw=attribute(AUTHN, "AuthnInstant", instant(NOW - timedelta(days=365))),
    ),
    Case(
        "AUT-06 second",
        "signed in a second too early for that",
        ("authn_context",),
        given=ANSWER,
        held=asked(force_authn=True),
        flaw=attribute(AUTHN, "AuthnInstant", instant(NOW - timedelta(seconds=181))),
    ),
    Case(
        "AUT-06 clock",
        "signed in as early as clocks may differ",
        given=ANSWER,
        held=asked(force_authn=True),
        flaw=attribute(AUTHN, "AuthnInstant", instant(NOW - timedelta(seconds=180))),
    ),
    Case(
        "AUT-06 unasked",
        "an unsolicited response, where every request asks for a fresh sign-in",
        ("authn_context",),
        account={"force_authn": True},
        flaw=attribute(AUTHN, "AuthnInstant", instant(NOW - timedelta(days=365))),
    ),
    Case(
        "AUT-06 unasked second",
        "the same, signed in a second before a request could have asked",
        ("authn_context",),
        account={"force_authn": True},
        flaw=attribute(AUTHN, "AuthnInstant", instant(NOW - timedelta(minutes=13, seconds=1))),
    ),
    Case(
        "AUT-06 unasked clock",
        "the same, signed in as early as may be",
        account={"force_authn": True},
        flaw=attribute(AUTHN, "AuthnInstant", instant(NOW - timedelta(minutes=13))),
    ),
    Case(
        "AUT-04 unasked",
        "an unsolicited response in a weaker way than every request asks for",
        ("authn_context",),
        flaw_account={"requested_contexts": ("urn:mfa",)},
    ),
    Case(
        "AUT-04 unasked better",
        "an unsolicited response in the way that had to be bettered",
        ("authn_context",),
        flaw_account={"requested_contexts": (PASSWORD_CONTEXT,), "context_comparison": Comparison.BETTER},
    ),
    Case(
        "AUT-04 unasked listed",
        "an unsolicited response in a way that every request asks for",
        flaw_account={"requested_contexts": ("urn:mfa", PASSWORD_CONTEXT)},
    ),
    Case(
        "AUT-06 answered",
        "an answer to an unknown request is held to the account's settings, and does not get round them",
        ("in_response_to", "authn_context"),
        account={"force_authn": True},
        flaw={**ANSWER, **attribute(AUTHN, "AuthnInstant", instant(NOW - timedelta(days=365)))},
    ),
    Case("AUT-05", "a context of markup", flaw=text(".//saml:AuthnContextClassRef", "<script>")),
    Case(
        "AUT-07",
        "signed in tomorrow",
        ("authn_statement",),
        flaw=attribute(AUTHN, "AuthnInstant", instant(NOW + timedelta(days=1))),
    ),
    Case(
        "AUT-08",
        "the session is over",
        ("session_expiry",),
        flaw=attribute(AUTHN, "SessionNotOnOrAfter", instant(NOW - timedelta(hours=1))),
    ),
    Case(
        "AUT-12",
        "only an authorization decision",
        ("authn_statement",),
        flaw=mutate(
            all_of(
                without(AUTHN),
                with_child(
                    "saml:Assertion",
                    "<saml:AuthzDecisionStatement Resource='x' Decision='Permit'>"
                    "<saml:Action Namespace='x'>y</saml:Action></saml:AuthzDecisionStatement>",
                ),
            )
        ),
    ),
    Case(
        "ATT-01", "a statement of no attribute", ("schema",), flaw=mutate(all_of(*[without(".//saml:Attribute")] * 3))
    ),
    Case(
        "ATT-02",
        "the same attribute twice",
        ("attributes",),
        flaw=child(
            ".//saml:AttributeStatement",
            f"<saml:Attribute Name='{CLAIMS.email}'>"
            "<saml:AttributeValue>x@y.example</saml:AttributeValue></saml:Attribute>",
        ),
    ),
    Case(
        "ATT-05",
        "attributes that nobody knows",
        flaw=child(
            ".//saml:AttributeStatement",
            "<saml:Attribute Name='isAdmin'><saml:AttributeValue>true</saml:AttributeValue></saml:Attribute>",
        ),
    ),
    Case(
        "ATT-10",
        "an encrypted attribute",
        ("attributes",),
        flaw=child(
            ".//saml:AttributeStatement",
            "<saml:EncryptedAttribute><xenc:EncryptedData xmlns:xenc='http://www.w3.org/2001/04/xmlenc#'>"
            "<xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"
            "</saml:EncryptedAttribute>",
        ),
    ),
    Case(
        "POS-08",
        "types that are written out",
        flaw=mutate(
            with_attribute(".//saml:AttributeValue", "{http://www.w3.org/2001/XMLSchema-instance}nil", "false")
        ),
    ),
)

CASES = (*RESPONSE, *ISSUERS, *SUBJECT, *CONDITION, *STATEMENTS)
