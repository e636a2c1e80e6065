"""What the assertion of an attempt says.

Owns reading it for the page, and the word on whether a signature covers it. Never grants anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from sp.diagnosis.places import assertion_of
from sp.flows.evidence import Evidence
from sp.flows.judging_captured import CapturedEvidence
from sp.saml import names
from sp.saml.identity import Attributes, read_name_id
from sp.saml.messages import AttributeNames
from sp.saml.response import child_text
from sp.saml.xml import child, text_of

_MOST_ATTRIBUTES = 200
_MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class Fact:
    """One value, empty where the assertion has none; `key` is a plain word for it."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Said:
    """The assertion's facts. `verified`: a signature by a trusted certificate covers them."""

    verified: bool
    facts: tuple[Fact, ...]
    attributes: tuple[tuple[str, tuple[str, ...]], ...]
    more_attributes: int


def said_by(evidence: Evidence | CapturedEvidence) -> Said | None:
    """None where the message holds no assertion that can be read.

    The one assertion of a message whose signature holds is the one that is signed (`one_assertion` and
    `signature_structure` passed), so what stands in the tree is what was verified.
    """
    root = evidence.root
    if root is None or root.tag != names.RESPONSE:
        return None
    opened = evidence.judgement.opened_assertion
    assertion = assertion_of(root) if opened is None else opened
    if assertion is None or assertion.tag != names.ASSERTION:
        return None
    attributes = Attributes(assertion, AttributeNames()).values
    shown = tuple((name, values[:_MOST_VALUES]) for name, values in list(attributes.items())[:_MOST_ATTRIBUTES])
    facts = tuple(fact for fact in _facts(assertion) if fact.value)
    return Said(evidence.signature_holds, facts, shown, len(attributes) - len(shown))


def _facts(assertion: etree._Element) -> Iterator[Fact]:
    name_id = read_name_id(assertion)
    if name_id is not None:
        yield Fact("Subject (NameID)", name_id.value)
        yield Fact("NameID format", name_id.format or "")
        yield Fact("NameQualifier", name_id.name_qualifier or "")
        yield Fact("SPNameQualifier", name_id.sp_name_qualifier or "")
    yield Fact("Issuer", child_text(assertion, names.ISSUER) or "")
    yield Fact("Assertion ID", assertion.get("ID", ""))
    yield Fact("Issued", assertion.get("IssueInstant", ""))
    yield from _conditions(assertion)
    yield from _confirmation(assertion)
    yield from _authentication(assertion)


def _conditions(assertion: etree._Element) -> Iterator[Fact]:
    conditions = child(assertion, names.CONDITIONS)
    if conditions is None:
        return
    yield Fact("Not before", conditions.get("NotBefore", ""))
    yield Fact("Not on or after", conditions.get("NotOnOrAfter", ""))
    audiences = conditions.iterfind(f"{names.AUDIENCE_RESTRICTION}/{names.AUDIENCE}")
    for audience in list(audiences)[:_MOST_VALUES]:
        yield Fact("Audience", text_of(audience))


def _confirmation(assertion: etree._Element) -> Iterator[Fact]:
    data = child(assertion, names.SUBJECT, names.SUBJECT_CONFIRMATION, names.SUBJECT_CONFIRMATION_DATA)
    if data is None:
        return
    yield Fact("Recipient", data.get("Recipient", ""))
    yield Fact("To be delivered before", data.get("NotOnOrAfter", ""))
    yield Fact("In response to", data.get("InResponseTo", ""))
    yield Fact("Address", data.get("Address", ""))


def _authentication(assertion: etree._Element) -> Iterator[Fact]:
    statement = child(assertion, names.AUTHN_STATEMENT)
    if statement is None:
        return
    yield Fact("Authenticated", statement.get("AuthnInstant", ""))
    yield Fact("Session index", statement.get("SessionIndex", ""))
    yield Fact("Session not on or after", statement.get("SessionNotOnOrAfter", ""))
    context = child(statement, names.AUTHN_CONTEXT)
    if context is not None:
        yield Fact("Authentication context", (child_text(context, names.AUTHN_CONTEXT_CLASS_REF) or "").strip())
