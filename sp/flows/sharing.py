"""A copy of the evidence of an attempt in which nothing tells who it was about, or whose it was.

Owns what of an attempt goes into the copy. Never hands on what is not replaced: whatever is drawn from the copy cannot
show more than it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lxml import etree

from sp.diagnosis.meaning import sent_certificates
from sp.diagnosis.pseudonyms import Kind, Pseudonyms
from sp.diagnosis.redacted_report import redacted_report
from sp.diagnosis.redaction import Seals, described_certificate, possible_values, redacted_tree
from sp.flows.evidence import Evidence
from sp.flows.judging_again import Inputs
from sp.models import SignInAttempt
from sp.saml.certificates import IdpCertificate
from sp.saml.messages import AccountHolder, AccountTrust, Expectations, Judgement, Opened
from sp.saml.report import Report
from sp.saml.values import texts_in

_FINGERPRINT_DIGITS = 8


@dataclass(frozen=True, slots=True)
class SharedCertificate:
    """`subject` is a pseudonym."""

    subject: str
    description: str


@dataclass(frozen=True, slots=True)
class Shared:
    """The copy. `settings_version` is the number of the version in force then; `message_bytes` None without a message.

    `pseudonyms` know the values that were replaced: for the eyes of whoever shares, never for the file.
    """

    evidence: Evidence
    pseudonyms: Pseudonyms
    certificates: tuple[SharedCertificate, ...]
    settings_version: int | None
    message_bytes: int | None


def shared(evidence: Evidence, *, keep_hosts: bool = False) -> Shared:
    pseudonyms = Pseudonyms(keep_hosts=keep_hosts)
    seals = Seals(evidence.trusted, evidence.judgement.certificate)
    certificates = tuple(_certificates(evidence, seals, pseudonyms))
    root = None if evidence.root is None else redacted_tree(evidence.root, pseudonyms, seals)
    expectations = _expectations(evidence.inputs.expectations, pseudonyms)
    if evidence.inputs.holder.stored_username:  # a row of the report quotes it, and the message need not hold it
        pseudonyms.of(evidence.inputs.holder.stored_username, Kind.USER)
    if (given := evidence.inputs.holder.handed_out) is not None:
        pseudonyms.of(given.to, Kind.TEXT)
    report = _report(evidence, pseudonyms)
    copy = Evidence(
        attempt=_attempt(evidence.attempt, pseudonyms),
        inputs=Inputs(Opened(), expectations, AccountHolder()),
        judgement=Judgement(report, certificate=_stub(evidence.judgement.certificate)),
        settings=None,
        provider=evidence.provider,
        root=root,
    )
    version = evidence.settings.version if evidence.settings else None
    return Shared(copy, pseudonyms, certificates, version, None if evidence.xml is None else len(evidence.xml))


def _certificates(evidence: Evidence, seals: Seals, pseudonyms: Pseudonyms) -> Iterator[SharedCertificate]:
    """The trusted ones and those in the message, each once."""
    sent = _sent(evidence.root)
    for certificate in dict.fromkeys((*seals.trusted, *sent)):
        subject = pseudonyms.of(certificate.subject, Kind.SUBJECT)
        pseudonyms.of(certificate.issuer, Kind.SUBJECT)
        place = ", in the message" if certificate in sent else ""
        yield SharedCertificate(subject, described_certificate(certificate, seals) + place)


def _sent(root: etree._Element | None) -> list[IdpCertificate]:
    return [] if root is None else [found for found in sent_certificates(root) if found is not None]


def _expectations(then: Expectations, pseudonyms: Pseudonyms) -> Expectations:
    """What the diagram needs; the account stays behind, once its values are known to have been replaced."""
    if then.account is not None:
        _learn(then.account, pseudonyms)
    pseudonyms.of(then.nearest_issuer, Kind.PLACE)
    pending = tuple(
        replace(
            request,
            id=pseudonyms.of(request.id, Kind.ID),
            identity_provider=pseudonyms.of(request.identity_provider, Kind.PLACE),
            requested_contexts=(),
        )
        for request in then.pending
    )
    return Expectations(
        now=then.now,
        entity_id=pseudonyms.of(then.entity_id, Kind.PLACE),
        acs_url=pseudonyms.of(then.acs_url, Kind.PLACE),
        account=None,
        pending=pending,
    )


def _learn(account: AccountTrust, pseudonyms: Pseudonyms) -> None:
    """Rows of the report quote these."""
    pseudonyms.of(account.issuer, Kind.PLACE)
    pseudonyms.of(account.slug, Kind.PART)
    wanted = account.attribute_names
    for name in (wanted.first_name, wanted.last_name, wanted.email):
        pseudonyms.of(name, Kind.ATTRIBUTE)


def _report(evidence: Evidence, pseudonyms: Pseudonyms) -> Report:
    report = evidence.judgement.report
    if evidence.root is None and evidence.xml is not None:
        found = texts_in(value for row in report.rows for value in (row.expected, row.received))
        for value in possible_values(evidence.xml, "\n".join(found)):
            pseudonyms.of(value, Kind.TEXT)
    return redacted_report(report, pseudonyms)


def _attempt(attempt: SignInAttempt, pseudonyms: Pseudonyms) -> SignInAttempt:
    """The reference stays: with it, both sides can talk about the same sign-in."""
    return SignInAttempt(
        reference=attempt.reference,
        received_at=attempt.received_at,
        remote_address=pseudonyms.of(attempt.remote_address, Kind.PLACE),
        outcome=attempt.outcome,
        failed=attempt.failed,
        warnings=attempt.warnings,
        issuer=pseudonyms.of(attempt.issuer, Kind.PLACE),
        username=pseudonyms.of(attempt.username, Kind.USER),
        unverified_username=pseudonyms.of(attempt.unverified_username, Kind.USER),
        provisioned=attempt.provisioned,
    )


def _stub(certificate: IdpCertificate | None) -> IdpCertificate | None:
    """That there was one is all that is told: without its bytes, its names and its key."""
    if certificate is None:
        return None
    digits = certificate.sha256[:_FINGERPRINT_DIGITS]
    return replace(certificate, der=b"", subject="", issuer="", serial=0, sha256=digits, public_key=None)
