"""The story of one logout message: from what arrived to a judgement, stage by stage.

Owns the order and where it stops. Never judges a detail (see `sp.saml.checks.logout`), never reads a clock, a
database or a setting, and ends no session.

    1  transport   the form, the query or the envelope becomes bytes
    2  document    the bytes become a tree that every parser would read alike
    3  structure   the tree holds a LogoutRequest or a LogoutResponse, and nothing else
    4  account     its unverified issuer is one that the account trusts
    5  signature   the whole message is signed; from here on only what the signature covers is read
    6  message     what it says is held against the expectations
    7  sessions    what the store knows is added, and all rows make the report

`open_logout` does 1 to 3, `verify_logout` adds 4 to 6, `conclude_logout` adds 7. None of them raises for a message: an
exception in a step fails the row that the step was to find (`sp.saml.internal_errors`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from lxml import etree

from sp.saml import names
from sp.saml.checks import logout as checks
from sp.saml.checks.logout import Carrier, Content, Held, LogoutCheck, Named, Statement, of_kind
from sp.saml.internal_errors import with_internal_error
from sp.saml.logout_messages import (
    Arrival,
    Kind,
    LogoutExpectations,
    LogoutJudgement,
    OpenedLogout,
    SignOutAnswer,
    SignOutOrder,
    VerifiedLogout,
)
from sp.saml.messages import Limits
from sp.saml.redirect_binding import RedirectMessage
from sp.saml.report import NOT_REACHED, Finding, Outcome, Report, Row
from sp.saml.response import ISSUER_CHARACTERS, child_text
from sp.saml.xml import XML_SPACE, Document, text_of

Findings = dict[str, Finding]
Subject = TypeVar("Subject")


def open_logout(arrival: Arrival, limits: Limits) -> OpenedLogout:
    """Stages 1 to 3. Whatever is not judged is missing from the findings."""
    carrier = Carrier(arrival, limits)
    opened = OpenedLogout(arrival, limits)
    findings: Findings = {}
    try:
        _until_failure(findings, carrier, arrival.kind, checks.TRANSPORT)
        opened = replace(opened, query=carrier.query if isinstance(carrier.query, RedirectMessage) else None)
        if _failed(findings) or carrier.xml is None:
            return replace(opened, findings=findings)
        opened = replace(opened, xml=carrier.xml)
        return _with_document(opened, Document(carrier.xml, limits), findings)
    except Exception as error:  # noqa: BLE001  one message must not be a 500 without a trace
        return replace(opened, findings=with_internal_error(findings, _codes(arrival.kind, 3), error), error=error)


def _with_document(opened: OpenedLogout, document: Document, findings: Findings) -> OpenedLogout:
    _until_failure(findings, document, opened.kind, checks.DOCUMENT)
    if _failed(findings):
        return replace(opened, findings=findings)
    content = Content(document, opened.arrival)
    _until_failure(findings, content, opened.kind, checks.STRUCTURE)
    root_holds = findings["root"].outcome is Outcome.PASSED
    root = content.message.element if root_holds else None
    return replace(
        opened,
        findings=findings,
        document=None if _failed(findings) else content.message,
        unverified_issuer="" if root is None else _issuer(root),
        unverified_in_response_to="" if root is None else root.get("InResponseTo", ""),
    )


def _issuer(root: etree._Element) -> str:
    return (child_text(root, names.ISSUER) or "").strip(XML_SPACE)[:ISSUER_CHARACTERS]


def verify_logout(opened: OpenedLogout, expectations: LogoutExpectations) -> VerifiedLogout:
    """Stages 4 to 6, added to what was found so far."""
    findings = dict(opened.findings)
    if opened.document is None:
        return VerifiedLogout(opened.kind, findings, error=opened.error)
    try:
        return _verify(opened, expectations, findings)
    except Exception as error:  # noqa: BLE001  as above
        return VerifiedLogout(opened.kind, with_internal_error(findings, _codes(opened.kind, 6), error), error=error)


def _verify(opened: OpenedLogout, expectations: LogoutExpectations, findings: Findings) -> VerifiedLogout:
    """Stages 4 to 6. Every finding is in `findings` at once, so that they are there if a later step raises."""
    held = Held(opened, expectations)
    _until_failure(findings, held, opened.kind, checks.ACCOUNT)
    if _failed(findings) or expectations.account is None:
        return VerifiedLogout(opened.kind, findings)
    _until_failure(findings, held, opened.kind, checks.SIGNATURE)
    tree = held.signature[1]
    if _failed(findings) or tree is None:
        return VerifiedLogout(opened.kind, findings)
    statement = Statement(tree, opened.arrival.binding, expectations)
    _all(findings, statement, opened.kind, checks.MESSAGE)
    verified = VerifiedLogout(opened.kind, findings, tree)
    return _with_order(verified, statement) if opened.kind is Kind.REQUEST else _with_answer(verified, statement)


def failed_by(error: Exception, opened: OpenedLogout, verified: VerifiedLogout | None) -> VerifiedLogout:
    """A refusal at the first row that has no finding. Nothing is asked for and nothing is answered."""
    found = opened.findings if verified is None else verified.findings
    findings = with_internal_error(found, _codes(opened.kind, 7), error)
    return VerifiedLogout(opened.kind, findings, None if verified is None else verified.tree, error=error)


_READABLE = (Outcome.PASSED, Outcome.WARNING)


def _with_order(verified: VerifiedLogout, statement: Statement) -> VerifiedLogout:
    name_id = statement.name_id
    if name_id is None or verified.findings["logout_subject"].outcome not in _READABLE:
        return verified
    indexes = tuple(text_of(element) for element in statement.message.iterchildren(names.SESSION_INDEX))
    return replace(verified, order=SignOutOrder(verified.id, name_id, indexes))


def _with_answer(verified: VerifiedLogout, statement: Statement) -> VerifiedLogout:
    answered = statement.message.get("InResponseTo", "")
    return replace(verified, answer=SignOutAnswer(answered, statement.status))


def conclude_logout(verified: VerifiedLogout, named: Named | None = None) -> LogoutJudgement:
    """Stage 7, and the report: every row of this kind of message, in the order of the table, exactly once."""
    findings, error = dict(verified.findings), verified.error
    if verified.order is not None:
        try:
            _all(findings, named or Named(verified.order.id), verified.kind, checks.SESSIONS)
        except Exception as raised:  # noqa: BLE001  as above
            findings, error = with_internal_error(findings, _codes(verified.kind, 7), raised), raised
    rows = tuple(_row(check.code, findings) for check in of_kind(verified.kind))
    return LogoutJudgement(Report(rows), verified, error)


def _row(code: str, findings: Mapping[str, Finding]) -> Row:
    return Row(code, *findings.get(code, NOT_REACHED))


def _until_failure(findings: Findings, subject: Subject, kind: Kind, stage: tuple[LogoutCheck[Subject], ...]) -> None:
    """Add the findings of a stage up to its first failure."""
    for check in stage:
        if kind in check.kinds:
            findings[check.code] = check.judge(subject)
            if findings[check.code].outcome is Outcome.FAILED:
                break


def _all(findings: Findings, subject: Subject, kind: Kind, stage: tuple[LogoutCheck[Subject], ...]) -> None:
    """Add the findings of every check of a stage."""
    for check in stage:
        if kind in check.kinds:
            findings[check.code] = check.judge(subject)


def _codes(kind: Kind, last_stage: int) -> tuple[str, ...]:
    return tuple(check.code for check in of_kind(kind) if check.stage <= last_stage)


def _failed(findings: Mapping[str, Finding]) -> bool:
    return any(finding.outcome is Outcome.FAILED for finding in findings.values())
