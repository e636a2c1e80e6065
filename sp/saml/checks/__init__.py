"""The checks of a response: every row of a report, in order, on one screen.

Each function is in the module of its stage; why a check matters and what to change is in `sp.diagnosis.catalogue`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Never, TypeVar

from sp.saml.bindings import Transport
from sp.saml.checks import assertion, document, holder, response, signature, transport
from sp.saml.checks.assertion import Statement
from sp.saml.checks.holder import Holder
from sp.saml.checks.response import Held
from sp.saml.problems import (
    BEGIN,
    ENCRYPTED_ID,
    END,
    ISSUED,
    REQUIRED_END,
    SIGN_IN_REQUEST,
    AddressProblem,
    AssertionIssuerProblem,
    AttributeProblem,
    AudienceProblem,
    AuthnContextProblem,
    AuthnStatementProblem,
    Base64Problem,
    BearerProblem,
    CommentProblem,
    ConditionsProblem,
    ConfirmationNotBeforeProblem,
    DecryptionProblem,
    DtdProblem,
    EncodingProblem,
    EncryptionProblem,
    FormProblem,
    IdProblem,
    IssuerProblem,
    LimitProblem,
    OneAssertionProblem,
    Problem,
    ReplayProblem,
    RootProblem,
    SameRequestProblem,
    SchemaProblem,
    SignatureAlgorithmProblem,
    SignaturePresentProblem,
    SignatureProblem,
    SignatureStructureProblem,
    SigningKeyProblem,
    SizeProblem,
    SsoProblem,
    StatusProblem,
    SubjectProblem,
    SyntaxProblem,
    UserActiveProblem,
    UserLinkProblem,
    UsernameProblem,
    VersionProblem,
    WindowProblem,
)
from sp.saml.report import Finding
from sp.saml.signature import Signatures
from sp.saml.xml import Document

Subject_contra = TypeVar("Subject_contra", contravariant=True)

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
class Check(Generic[Subject_contra]):
    """One row: its stage, code, title and clause, the function that evaluates it, and the problems it may find.

    Every check may also find `InternalProblem`.
    """

    stage: int
    code: str
    title: str
    clause: str
    judge: Callable[[Subject_contra], Finding]
    problems: tuple[Problem, ...]


TRANSPORT: tuple[Check[Transport], ...] = (
    Check(1, "form", "Form", "Bindings 3.5", transport.form, (*FormProblem,)),
    Check(1, "size", "Size", "–", transport.size, (SizeProblem.MESSAGE, SizeProblem.FORM)),
    Check(1, "base64", "Base64", "Bindings 3.5.4", transport.base64, (*Base64Problem,)),
)
DOCUMENT: tuple[Check[Document], ...] = (
    Check(2, "encoding", "Encoding", "XML 1.0 4.3.3", document.encoding, (*EncodingProblem,)),
    Check(2, "no_dtd", "No document type", "SAML2int G03", document.no_dtd, (*DtdProblem,)),
    Check(2, "well_formed", "Well-formed", "XML 1.0 2.1", document.well_formed, (*SyntaxProblem,)),
    Check(2, "no_comments", "No comments", "CVE-2018-0489", document.no_comments, (*CommentProblem,)),
    Check(2, "limits", "Limits", "–", document.limits, (*LimitProblem,)),
)
STRUCTURE: tuple[Check[Document], ...] = (
    Check(3, "root", "Root element", "Core 3.3.3", document.root, (RootProblem.DIFFERENT,)),
    Check(3, "unique_ids", "Unique IDs", "Core 1.3.4", document.unique_ids, (*IdProblem,)),
    Check(3, "schema", "Schema", "Core 1.2", document.schema, (*SchemaProblem,)),
    Check(3, "status", "Status", "Core 3.2.2.2", document.status, (StatusProblem.NOT_SUCCESS,)),
    Check(3, "one_assertion", "One assertion", "Profiles 4.1.4.2", document.one_assertion, (*OneAssertionProblem,)),
)
RESPONSE: tuple[Check[Held], ...] = (
    Check(4, "response_version", "Response version", "Core 3.2.2", response.response_version, (*VersionProblem,)),
    Check(4, "response_issue_instant", "Response time", "Core 3.2.2", response.response_issue_instant, (*ISSUED,)),
    Check(4, "destination", "Destination", "Bindings 3.5.5.2", response.destination, (*AddressProblem,)),
    Check(4, "in_response_to", "In response to", "Profiles 4.1.4.3", response.in_response_to, SIGN_IN_REQUEST),
)
ACCOUNT: tuple[Check[Held], ...] = (
    Check(
        5,
        "issuer",
        "Issuer",
        "Profiles 4.1.4.2",
        response.issuer,
        (IssuerProblem.MISSING, IssuerProblem.UNKNOWN, IssuerProblem.OWN),
    ),
    Check(5, "sso_enabled", "Single Sign On enabled", "–", response.sso_enabled, (*SsoProblem,)),
)
DECRYPTION: tuple[Check[Held], ...] = (
    Check(
        6,
        "encryption_algorithms",
        "Encryption algorithms",
        "SAML2int ALG",
        response.encryption_algorithms,
        (*EncryptionProblem,),
    ),
    Check(6, "decryption", "Decryption", "XML Encryption 4", response.decryption, (*DecryptionProblem,)),
)
SIGNATURE: tuple[Check[Signatures], ...] = (
    Check(
        7,
        "signature_present",
        "Signature present",
        "Profiles 4.1.4.5",
        signature.signature_present,
        (SignaturePresentProblem.MISSING, SignaturePresentProblem.PART_MISSING),
    ),
    Check(
        7,
        "signature_structure",
        "Signature structure",
        "Core 5.4",
        signature.signature_structure,
        (*SignatureStructureProblem,),
    ),
    Check(
        7,
        "signature_algorithms",
        "Signature algorithms",
        "SAML2int ALG01",
        signature.signature_algorithms,
        (*SignatureAlgorithmProblem,),
    ),
    Check(7, "signing_key", "Signing key", "SAML2int MD06", signature.signing_key, (*SigningKeyProblem,)),
    Check(
        7,
        "signature",
        "Signature",
        "Profiles 4.1.4.3",
        signature.signature,
        (SignatureProblem.VALUE, SignatureProblem.DIGEST),
    ),
)
ASSERTION: tuple[Check[Statement], ...] = (
    Check(8, "assertion_version", "Assertion version", "Core 2.3.3", assertion.assertion_version, (*VersionProblem,)),
    Check(
        8,
        "assertion_issuer",
        "Assertion issuer",
        "Profiles 4.1.4.2",
        assertion.assertion_issuer,
        (*AssertionIssuerProblem,),
    ),
    Check(8, "assertion_issue_instant", "Assertion time", "Core 2.3.3", assertion.assertion_issue_instant, (*ISSUED,)),
    Check(8, "subject", "Subject", "Core 2.4, 8.3.8", assertion.subject, (*SubjectProblem, *ENCRYPTED_ID)),
    Check(8, "bearer", "Bearer confirmation", "Profiles 4.1.4.3", assertion.bearer, (*BearerProblem,)),
    Check(8, "recipient", "Recipient", "Profiles 4.1.4.3", assertion.recipient, (*AddressProblem,)),
    Check(
        8,
        "confirmation_expiry",
        "Confirmation expiry",
        "Profiles 4.1.4.2",
        assertion.confirmation_expiry,
        (*REQUIRED_END,),
    ),
    Check(
        8,
        "confirmation_not_before",
        "No NotBefore",
        "Profiles 4.1.4.2",
        assertion.confirmation_not_before,
        (*ConfirmationNotBeforeProblem,),
    ),
    Check(
        8,
        "confirmation_in_response_to",
        "Same request",
        "Profiles 4.1.4.3",
        assertion.confirmation_in_response_to,
        (*SameRequestProblem,),
    ),
    Check(8, "conditions", "Conditions", "Core 2.5.1", assertion.conditions, (*ConditionsProblem,)),
    Check(8, "audience", "Audience", "Core 2.5.1.4", assertion.audience, (*AudienceProblem,)),
    Check(8, "not_before", "Not before", "Core 2.5.1.2", assertion.not_before, (*BEGIN,)),
    Check(8, "not_on_or_after", "Not on or after", "Core 2.5.1.2", assertion.not_on_or_after, (*REQUIRED_END,)),
    Check(8, "validity_window", "Validity window", "Core 2.5.1.2", assertion.validity_window, (*WindowProblem,)),
    Check(
        8,
        "authn_statement",
        "Authentication statement",
        "Profiles 4.1.4.2",
        assertion.authn_statement,
        (*AuthnStatementProblem, *BEGIN),
    ),
    Check(8, "session_expiry", "Session expiry", "Profiles 4.1.4.3", assertion.session_expiry, (*END,)),
    Check(
        8, "authn_context", "Authentication context", "Core 3.3.2.2.1", assertion.authn_context, (*AuthnContextProblem,)
    ),
    Check(8, "attributes", "Attributes", "Core 2.7.3", assertion.attributes, (*AttributeProblem,)),
)
HOLDER: tuple[Check[Holder], ...] = (
    Check(9, "replay", "Replay", "Profiles 4.1.4.5", holder.replay, (ReplayProblem.REPEATED, ReplayProblem.HANDED_OUT)),
    Check(9, "username", "User name", "RFC 8265 3.4", holder.username, (*UsernameProblem,)),
    Check(9, "user_link", "User link", "–", holder.user_link, (*UserLinkProblem,)),
    Check(9, "user_active", "User active", "–", holder.user_active, (*UserActiveProblem,)),
)

CHECKS: tuple[Check[Never], ...] = (
    *TRANSPORT,
    *DOCUMENT,
    *STRUCTURE,
    *RESPONSE,
    *ACCOUNT,
    *DECRYPTION,
    *SIGNATURE,
    *ASSERTION,
    *HOLDER,
)

BY_CODE = {check.code: check for check in CHECKS}
