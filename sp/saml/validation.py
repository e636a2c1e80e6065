"""The story of one response: from what was posted to a judgement, stage by stage.

Owns the order and where it stops. Never judges a detail (see `sp.saml.checks`), and never reads a clock, a database
or a setting: everything that a message is held against is passed in, so the same input has the same verdict.

    1  transport       the form field becomes bytes
    2  document        the bytes become a tree that every parser would read alike
    3  structure       the tree becomes an UnverifiedResponse
    4  response        what the Response says about itself is held against the expectations
    5  account         the unverified issuer is the one that the account trusts
    6  decryption      an encrypted assertion is opened
    7  signature       the signed bytes, parsed afresh, become a VerifiedAssertion
    8  assertion       what it says is held against the expectations, and read into an Identity
    9  account holder  what the store knows about that identity is added, and all rows make the Report

`open_form` and `open_message` do 1 to 3, `verify` adds 4 to 8, `conclude` adds 9; `judge` does 4 to 9 at once. None of
them raises for a message: an exception in a step fails the row that the step was to find (`sp.saml.internal_errors`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from sp.saml import checks, names
from sp.saml.bindings import Transport
from sp.saml.checks import CHECKS, Check
from sp.saml.checks.assertion import Statement, authn_context_of
from sp.saml.checks.holder import Holder
from sp.saml.checks.response import Held
from sp.saml.checks.transport import size_of
from sp.saml.former_keys import former_key_warning
from sp.saml.identity import email_of
from sp.saml.internal_errors import with_internal_error
from sp.saml.messages import (
    AccountHolder,
    Expectations,
    Identity,
    Judgement,
    Limits,
    Opened,
    PostedForm,
    UnverifiedResponse,
    Verified,
    VerifiedAssertion,
)
from sp.saml.report import NOT_REACHED, SKIPPED, Finding, Outcome, Report, Row
from sp.saml.response import read_response, unverified_issuer
from sp.saml.signature import Signatures, verified_assertion
from sp.saml.times import instant
from sp.saml.xml import Document

Findings = dict[str, Finding]
Subject = TypeVar("Subject")

DEFAULT_LIMITS = Limits()
NOBODY_ASKED = AccountHolder()


def open_form(form: PostedForm, limits: Limits = DEFAULT_LIMITS) -> Opened:
    """Stages 1 to 3 of a posted form."""
    findings: Findings = {}
    try:
        transport = Transport(form, limits)
        _until_failure(findings, transport, checks.TRANSPORT)
        decoded = transport.decoded
    except Exception as error:  # noqa: BLE001  one message must not be a 500 without a trace
        return Opened(with_internal_error(findings, _EVERY_CODE, error), error=error)
    if _failed(findings) or decoded is None:
        return Opened(findings)
    return _open_document(Document(decoded, limits), findings)


def open_message(xml: bytes, limits: Limits = DEFAULT_LIMITS) -> Opened:
    """Stages 1 to 3 of a message that never came by a form: its rows are skipped, its size is judged."""
    findings = {"form": SKIPPED, "size": size_of(len(xml), limits.message_bytes)}
    if _failed(findings):
        return Opened(findings)
    return _open_document(Document(xml, limits), findings | {"base64": SKIPPED})


def _open_document(document: Document, findings: Findings) -> Opened:
    """Stages 2 and 3; each row may rely on the ones before it having passed."""
    issuer, response = "", None
    try:
        _until_failure(findings, document, checks.DOCUMENT)
        if _failed(findings):
            return Opened(findings, xml=document.xml)
        issuer = unverified_issuer(document.element)
        _until_failure(findings, document, checks.STRUCTURE)
        response = None if _failed(findings) else read_response(document)
    except Exception as error:  # noqa: BLE001  as above; the message is kept, and its issuer as far as it was read
        return Opened(with_internal_error(findings, _EVERY_CODE, error), None, issuer, document.xml, error=error)
    return Opened(findings, response, issuer, document.xml)


def verify(opened: Opened, expectations: Expectations) -> Verified:
    """Stages 4 to 8, added to what was found so far. Whatever is not judged is `not_reached`."""
    findings = dict(opened.findings)
    if opened.response is None:
        return Verified(_complete(findings), expectations, error=opened.error)
    try:
        return _verify(opened.response, expectations, findings)
    except Exception as error:  # noqa: BLE001  as above
        return failed_by(error, findings, expectations)


def failed_by(error: Exception, findings: Mapping[str, Finding], expectations: Expectations) -> Verified:
    """A refusal at the first row of the table that has no finding, without any identity."""
    found = with_internal_error(findings, _EVERY_CODE, error)
    return Verified(_complete(found) | found, expectations, error=error)


def _verify(response: UnverifiedResponse, expectations: Expectations, findings: Findings) -> Verified:
    """Stages 4 to 8. Every finding is in `findings` at once, so that they are there if a later step raises."""
    held = Held(response, expectations)
    _all(findings, held, checks.RESPONSE)
    _all(findings, held, checks.ACCOUNT)
    if held.account is None:
        return Verified(_complete(findings), expectations)
    _until_failure(findings, held, checks.DECRYPTION)
    if findings["issuer"].outcome is Outcome.FAILED or _failed(findings):
        return Verified(_complete(findings), expectations)
    readable = _readable(held)
    verified = _verify_signed(Signatures(readable, held.account, expectations), findings)
    return verified if readable is held.response else replace(verified, opened_assertion=readable.assertion)


def _readable(held: Held) -> UnverifiedResponse:
    """The response with its assertion opened, where it was encrypted and the Response around it is not at fault."""
    if not held.response.encrypted or (held.response_signed and not held.outer_signature_holds):
        return held.response
    if held.opened_assertion is None:
        raise RuntimeError("an assertion that nobody could open was let through")
    return replace(held.response, assertion=held.opened_assertion)


def _verify_signed(signatures: Signatures, findings: Findings) -> Verified:
    """Stage 7, and stage 8 on what the signatures cover."""
    _until_failure(findings, signatures, checks.SIGNATURE)
    verified = None if _failed(findings) else verified_assertion(signatures)
    if verified is None:
        return Verified(_complete(findings), signatures.expectations)
    statement = _statement(verified, signatures)
    _all(findings, statement, checks.ASSERTION)
    if (warned := _former_key_warning(statement)) is not None:
        findings["decryption"] = warned
    identity = _identity(statement) if findings["subject"].outcome is Outcome.PASSED else None
    return Verified(_complete(findings), signatures.expectations, identity, verified.certificate)


def _former_key_warning(statement: Statement) -> Finding | None:
    """Of an EncryptedID, which is opened only after the signature is verified; its row is `decryption` all the same."""
    if statement.encrypted_id is None or statement.name_id is None:
        return None
    return former_key_warning(statement.encrypted_id, names.NAME_ID, statement.expectations)


def _statement(verified: VerifiedAssertion, signatures: Signatures) -> Statement:
    return Statement(
        assertion=verified.tree,
        account=signatures.account,
        expectations=signatures.expectations,
        response=signatures.response,
        response_signed=verified.response_signed,
    )


def _identity(statement: Statement) -> Identity | None:
    """Who the verified assertion is about, or None where it names nobody. Ask once `subject` has passed."""
    name_id = statement.name_id
    if name_id is None:
        return None
    authn = next(iter(statement.authn_statements), None)
    conditions = statement.conditions
    return Identity(
        issuer=statement.account.issuer.strip(),
        assertion_id=statement.assertion.get("ID", ""),
        name_id=name_id,
        first_name=statement.attributes.value("first_name"),
        last_name=statement.attributes.value("last_name"),
        email=email_of(statement.attributes, name_id),
        attributes=statement.attributes.values,
        # Once this has passed, `not_on_or_after` refuses, so no id need be remembered longer.
        not_on_or_after=instant(None if conditions is None else conditions.get("NotOnOrAfter")) or statement.now,
        session_index=None if authn is None else authn.get("SessionIndex"),
        session_not_on_or_after=instant(None if authn is None else authn.get("SessionNotOnOrAfter")),
        authn_instant=instant(None if authn is None else authn.get("AuthnInstant")),
        authn_context=authn_context_of(statement),
    )


def conclude(verified: Verified, holder: AccountHolder) -> Judgement:
    """Stage 9, and the report: every row of the table, in its order, exactly once."""
    findings, error = dict(verified.findings), verified.error
    if verified.identity is not None:
        try:
            _all(findings, Holder(verified.identity, holder), checks.HOLDER)
        except Exception as raised:  # noqa: BLE001  as above
            findings, error = with_internal_error(findings, _EVERY_CODE, raised), raised
    rows = tuple([Row(check.code, *findings.get(check.code, NOT_REACHED)) for check in CHECKS])
    return Judgement(Report(rows), verified.identity, verified.certificate, verified.opened_assertion, error=error)


def judge(opened: Opened, expectations: Expectations, holder: AccountHolder = NOBODY_ASKED) -> Judgement:
    """Stages 4 to 9 at once, where nobody has to be looked up in between."""
    return conclude(verify(opened, expectations), holder)


def _until_failure(findings: Findings, subject: Subject, stage: tuple[Check[Subject], ...]) -> None:
    """Add the findings of a stage up to its first failure: nothing after that could be trusted."""
    for check in stage:
        finding = findings[check.code] = check.judge(subject)
        if finding.outcome is Outcome.FAILED:
            break


def _all(findings: Findings, subject: Subject, stage: tuple[Check[Subject], ...]) -> None:
    """Add the findings of every check of the stage, so that all faults of one attempt are seen at once."""
    for check in stage:
        findings[check.code] = check.judge(subject)


def _failed(findings: Findings) -> bool:
    """Whether a stage that stops at its first failure has stopped."""
    return next(reversed(findings.values())).outcome is Outcome.FAILED


def _complete(findings: Findings) -> Findings:
    """The findings with every other row up to stage 8 added as not reached: a row that is absent is no pass."""
    return {code: findings.get(code, NOT_REACHED) for code in _BEFORE_THE_HOLDER}


_EVERY_CODE = tuple(check.code for check in CHECKS)
_BEFORE_THE_HOLDER = tuple(check.code for check in CHECKS if check.stage < 9)
