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

`open_logout` does 1 to 3, `verify_logout` adds 4 to 6, `conclude_logout` adds 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lxml import etree

from sp.saml import names
from sp.saml.checks.logout import Carrier, Content, Held, LogoutCheck, Named, Statement, of_kind
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


def open_logout(arrival: Arrival, limits: Limits) -> OpenedLogout:
    """Stages 1 to 3. Whatever is not judged is missing from the findings."""
    carrier = Carrier(arrival, limits)
    query = carrier.query if isinstance(carrier.query, RedirectMessage) else None
    opened = OpenedLogout(arrival, limits, query=query)
    findings = _until_failure(carrier, arrival.kind, 1)
    if _failed(findings) or carrier.xml is None:
        return replace(opened, findings=findings)
    document = Document(carrier.xml, limits)
    findings |= _until_failure(document, arrival.kind, 2)
    opened = replace(opened, findings=findings, xml=document.xml)
    return opened if _failed(findings) else _with_content(opened, Content(document, arrival))


def _with_content(opened: OpenedLogout, content: Content) -> OpenedLogout:
    findings = dict(opened.findings) | _until_failure(content, opened.kind, 3)
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
        return VerifiedLogout(opened.kind, findings)
    held = Held(opened, expectations)
    findings |= _until_failure(held, opened.kind, 4)
    if _failed(findings) or expectations.account is None:
        return VerifiedLogout(opened.kind, findings)
    findings |= _until_failure(held, opened.kind, 5)
    tree = held.signature[1]
    if _failed(findings) or tree is None:
        return VerifiedLogout(opened.kind, findings)
    statement = Statement(tree, opened.arrival.binding, expectations)
    findings |= {check.code: check.judge(statement) for check in _of_stage(opened.kind, 6)}
    verified = VerifiedLogout(opened.kind, findings, tree)
    return _with_order(verified, statement) if opened.kind is Kind.REQUEST else _with_answer(verified, statement)


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
    findings = dict(verified.findings)
    if verified.order is not None:
        subject = named or Named(verified.order.id)
        findings |= {check.code: check.judge(subject) for check in _of_stage(verified.kind, 7)}
    rows = tuple(_row(check.code, findings) for check in of_kind(verified.kind))
    return LogoutJudgement(Report(rows), verified)


def _row(code: str, findings: Mapping[str, Finding]) -> Row:
    finding = findings.get(code, NOT_REACHED)
    return Row(code, finding.outcome, finding.expected, finding.received)


def _until_failure(subject: object, kind: Kind, stage: int) -> Findings:
    findings: Findings = {}
    for check in _of_stage(kind, stage):
        findings[check.code] = check.judge(subject)
        if findings[check.code].outcome is Outcome.FAILED:
            break
    return findings


def _of_stage(kind: Kind, stage: int) -> tuple[LogoutCheck, ...]:
    return tuple(check for check in of_kind(kind) if check.stage == stage)


def _failed(findings: Mapping[str, Finding]) -> bool:
    return any(finding.outcome is Outcome.FAILED for finding in findings.values())
