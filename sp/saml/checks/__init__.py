"""The catalogue of checks: every row of a report, in order, on one screen.

Owns the order, the stages and the codes. Never judges anything itself: each function stands in the module of its
stage, and its words for people in `sp.saml.checks.catalogue`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sp.saml.checks import assertion, document, holder, response, signature, transport
from sp.saml.checks.catalogue import TEXTS
from sp.saml.report import Finding

STAGES = {
    1: "Transport",
    2: "Document",
    3: "Structure",
    4: "Response",
    5: "Account",
    6: "Decryption",
    7: "Signature",
    8: "Assertion",
    9: "Account holder",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One row: what it is called, which clause it comes from, why it matters, what to change, what judges it.

    `judge` takes the subject of its stage: Transport, Document (2 and 3), Held (4 to 6), Signatures, Statement,
    Holder.
    """

    code: str
    stage: int
    title: str
    clause: str
    why: str
    remedy: str
    judge: Callable[[Any], Finding]


def _check(stage: int, code: str, title: str, clause: str, judge: Callable[[Any], Finding]) -> Check:
    why, remedy = TEXTS[code]
    return Check(code, stage, title, clause, why, remedy, judge)


CHECKS = (
    _check(1, "form", "Form", "Bindings 3.5", transport.form),
    _check(1, "size", "Size", "–", transport.size),
    _check(1, "base64", "Base64", "Bindings 3.5.4", transport.base64),
    _check(2, "encoding", "Encoding", "XML 1.0 4.3.3", document.encoding),
    _check(2, "no_dtd", "No document type", "SAML2int G03", document.no_dtd),
    _check(2, "well_formed", "Well-formed", "XML 1.0 2.1", document.well_formed),
    _check(2, "no_comments", "No comments", "CVE-2018-0489", document.no_comments),
    _check(2, "limits", "Limits", "–", document.limits),
    _check(3, "root", "Root element", "Core 3.3.3", document.root),
    _check(3, "unique_ids", "Unique IDs", "Core 1.3.4", document.unique_ids),
    _check(3, "schema", "Schema", "Core 1.2", document.schema),
    _check(3, "status", "Status", "Core 3.2.2.2", document.status),
    _check(3, "one_assertion", "One assertion", "Profiles 4.1.4.2", document.one_assertion),
    _check(4, "response_version", "Response version", "Core 3.2.2", response.response_version),
    _check(4, "response_issue_instant", "Response time", "Core 3.2.2", response.response_issue_instant),
    _check(4, "destination", "Destination", "Bindings 3.5.5.2", response.destination),
    _check(4, "in_response_to", "In response to", "Profiles 4.1.4.3", response.in_response_to),
    _check(5, "issuer", "Issuer", "Profiles 4.1.4.2", response.issuer),
    _check(5, "sso_enabled", "Single Sign On enabled", "–", response.sso_enabled),
    _check(6, "encryption_algorithms", "Encryption algorithms", "SAML2int ALG", response.encryption_algorithms),
    _check(6, "decryption", "Decryption", "XML Encryption 4", response.decryption),
    _check(7, "signature_present", "Signature present", "Profiles 4.1.4.5", signature.signature_present),
    _check(7, "signature_structure", "Signature structure", "Core 5.4", signature.signature_structure),
    _check(7, "signature_algorithms", "Signature algorithms", "SAML2int ALG01", signature.signature_algorithms),
    _check(7, "signing_key", "Signing key", "SAML2int MD06", signature.signing_key),
    _check(7, "signature", "Signature", "Profiles 4.1.4.3", signature.signature),
    _check(8, "assertion_version", "Assertion version", "Core 2.3.3", assertion.assertion_version),
    _check(8, "assertion_issuer", "Assertion issuer", "Profiles 4.1.4.2", assertion.assertion_issuer),
    _check(8, "assertion_issue_instant", "Assertion time", "Core 2.3.3", assertion.assertion_issue_instant),
    _check(8, "subject", "Subject", "Core 2.4, 8.3.8", assertion.subject),
    _check(8, "bearer", "Bearer confirmation", "Profiles 4.1.4.3", assertion.bearer),
    _check(8, "recipient", "Recipient", "Profiles 4.1.4.3", assertion.recipient),
    _check(8, "confirmation_expiry", "Confirmation expiry", "Profiles 4.1.4.2", assertion.confirmation_expiry),
    _check(8, "confirmation_not_before", "No NotBefore", "Profiles 4.1.4.2", assertion.confirmation_not_before),
    _check(8, "confirmation_in_response_to", "Same request", "Profiles 4.1.4.3", assertion.confirmation_in_response_to),
    _check(8, "conditions", "Conditions", "Core 2.5.1", assertion.conditions),
    _check(8, "audience", "Audience", "Core 2.5.1.4", assertion.audience),
    _check(8, "not_before", "Not before", "Core 2.5.1.2", assertion.not_before),
    _check(8, "not_on_or_after", "Not on or after", "Core 2.5.1.2", assertion.not_on_or_after),
    _check(8, "validity_window", "Validity window", "Core 2.5.1.2", assertion.validity_window),
    _check(8, "authn_statement", "Authentication statement", "Profiles 4.1.4.2", assertion.authn_statement),
    _check(8, "session_expiry", "Session expiry", "Profiles 4.1.4.3", assertion.session_expiry),
    _check(8, "authn_context", "Authentication context", "Core 3.3.2.2.1", assertion.authn_context),
    _check(8, "attributes", "Attributes", "Core 2.7.3", assertion.attributes),
    _check(9, "replay", "Replay", "Profiles 4.1.4.5", holder.replay),
    _check(9, "username", "User name", "RFC 8265 3.4", holder.username),
    _check(9, "user_link", "User link", "–", holder.user_link),
    _check(9, "user_active", "User active", "–", holder.user_active),
)

BY_CODE = {check.code: check for check in CHECKS}


_BY_STAGE = {stage: tuple(check for check in CHECKS if check.stage == stage) for stage in STAGES}


def of_stage(stage: int) -> tuple[Check, ...]:
    """The checks of one stage, in the order of the table."""
    return _BY_STAGE[stage]
