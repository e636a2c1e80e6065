"""Stage 8: the assertion. Owns the judgement of what a verified signature covers; never reads anything else.

The Response around it is looked at only to refuse: where its unsigned values contradict the assertion's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from lxml import etree

from sp.saml import names
from sp.saml.checks.response import Held, answered_request, issue_instant, version
from sp.saml.decryption import encryption_problem, opened
from sp.saml.identity import VALUE_CHARACTERS, Attributes, name_id_of, read_name_id
from sp.saml.messages import AccountTrust, Comparison, Expectations, NameId, PendingRequest, UnverifiedResponse
from sp.saml.report import NOT_REACHED, Finding, Outcome, failed, passed, quoted, skipped, warning
from sp.saml.response import child_text
from sp.saml.times import UTC_FORM, in_future, instant, older, reached, written
from sp.saml.xml import XML_SPACE, child, text_of

LONGEST_VALIDITY = timedelta(hours=24)
LONG_VALIDITY = timedelta(hours=2)

QUALIFIED_FOR = "the SPNameQualifier "  # how a finding begins that expects our entity ID there

_UNDERSTOOD = frozenset((names.AUDIENCE_RESTRICTION, names.ONE_TIME_USE, names.PROXY_RESTRICTION))


@dataclass(frozen=True)
class Statement:
    """The verified assertion, what it is held against, and the unverified Response it came in."""

    assertion: etree._Element
    account: AccountTrust
    expectations: Expectations
    response: UnverifiedResponse
    response_signed: bool

    @cached_property
    def confirmations(self) -> tuple[Confirmation, ...]:
        """The bearer confirmations that carry data, each judged."""
        found = self.assertion.iterfind(f"{names.SUBJECT}/{names.SUBJECT_CONFIRMATION}")
        bearers = (element for element in found if element.get("Method") == names.BEARER)
        data = (child(element, names.SUBJECT_CONFIRMATION_DATA) for element in bearers)
        return tuple(_confirmation(element, self) for element in data if element is not None)

    @property
    def best_confirmation(self) -> Confirmation | None:
        """The one with the fewest faults, the first of equals; None without any."""
        return min(self.confirmations, key=lambda confirmation: confirmation.faults, default=None)

    @property
    def conditions(self) -> etree._Element | None:
        return child(self.assertion, names.CONDITIONS)

    @property
    def authn_statements(self) -> list[etree._Element]:
        return list(self.assertion.iterchildren(names.AUTHN_STATEMENT))

    @cached_property
    def attributes(self) -> Attributes:
        return Attributes(self.assertion, self.account.attribute_names)

    @property
    def encrypted_id(self) -> etree._Element | None:
        return child(self.assertion, names.SUBJECT, names.ENCRYPTED_ID)

    @cached_property
    def name_id(self) -> NameId | None:
        """The NameID of the subject, opened where it is encrypted; None where there is none to read."""
        encrypted = self.encrypted_id
        if encrypted is None:
            return read_name_id(self.assertion)
        if encryption_problem(encrypted) is not None:
            return None
        return name_id_of(opened(encrypted, names.NAME_ID, self.expectations.decryption_keys))

    @property
    def now(self) -> datetime:
        return self.expectations.now

    @property
    def skew(self) -> timedelta:
        return self.expectations.skew


def assertion_version(statement: Statement) -> Finding:
    return version(statement.assertion.get("Version", ""))


def assertion_issuer(statement: Statement) -> Finding:
    received = (child_text(statement.assertion, names.ISSUER) or "").strip(XML_SPACE)
    around = statement.response.issuer
    if received != statement.account.issuer.strip():
        return failed(expected=statement.account.issuer, received=quoted(received))
    if around is None and statement.response_signed:
        return failed(expected="an Issuer in a signed Response", received="no Issuer")
    if around is not None and around.strip(XML_SPACE) != received:
        return failed(expected=f"{received} in the Response too", received=quoted(around))
    for parent in (statement.assertion, statement.response.tree):
        if problem := _issuer_attribute_problem(child(parent, names.ISSUER)):
            return failed(expected="an Issuer that is an entity ID and nothing else", received=problem)
    return passed(received)


def _issuer_attribute_problem(issuer: etree._Element | None) -> str | None:
    """An entity identifier has no other format and no qualifiers (Core 8.3.6)."""
    if issuer is None:
        return None
    for name in ("NameQualifier", "SPNameQualifier", "SPProvidedID"):
        if issuer.get(name) is not None:
            return f"a {name}"
    given = issuer.get("Format", names.ENTITY_FORMAT)
    return None if given == names.ENTITY_FORMAT else f"the Format {given}"


def assertion_issue_instant(statement: Statement) -> Finding:
    return issue_instant(statement.assertion.get("IssueInstant", ""), statement.expectations)


def subject(statement: Statement) -> Finding:
    name_id = statement.name_id
    if name_id is None:
        return _no_name_id(statement.encrypted_id)
    problem = _value_problem(name_id) or _qualifier_problem(name_id, statement)
    if problem is not None:
        return failed(expected=problem[0], received=problem[1])
    if name_id.format == names.TRANSIENT_FORMAT and _refuses_transient(statement.account):
        return failed(expected="a NameID that stays the same", received=f"the Format {names.TRANSIENT_FORMAT}")
    return passed(name_id.value)


def _no_name_id(encrypted: etree._Element | None) -> Finding:
    if encrypted is None:
        return failed(expected="a NameID", received="no NameID")
    expected, received = encryption_problem(encrypted) or (
        "an EncryptedID that a key of this account opens",
        "one that does not open, or not into a NameID",
    )
    return failed(expected=expected, received=received)


def _value_problem(name_id: NameId) -> tuple[str, str] | None:
    if not name_id.value.strip():
        return "a NameID with a value", quoted(name_id.value)
    if len(name_id.value) > VALUE_CHARACTERS:
        return f"at most {VALUE_CHARACTERS} characters", f"{len(name_id.value)} characters"
    return None


def _qualifier_problem(name_id: NameId, statement: Statement) -> tuple[str, str] | None:
    """A name qualified for another service, or by another provider, names somebody of theirs (Core 8.3.7)."""
    for label, received, expected in (
        (QUALIFIED_FOR, name_id.sp_name_qualifier, statement.expectations.entity_id),
        ("the NameQualifier ", name_id.name_qualifier, statement.account.issuer),
    ):
        if received is not None and received != expected:
            return f"{label}{expected}", quoted(received)
    return None


def _refuses_transient(account: AccountTrust) -> bool:
    """A transient name is new at each sign-in (Core 8.3.8), so each would make a user."""
    return account.provisioning and not account.accept_transient


# The bearer confirmation. One valid one is enough, and its four rows hold together or not at all.


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One bearer SubjectConfirmationData, judged."""

    recipient: Finding
    confirmation_expiry: Finding
    confirmation_not_before: Finding
    confirmation_in_response_to: Finding

    @property
    def faults(self) -> int:
        findings = (
            self.recipient,
            self.confirmation_expiry,
            self.confirmation_not_before,
            self.confirmation_in_response_to,
        )
        return sum(finding.outcome is Outcome.FAILED for finding in findings)


def _confirmation(data: etree._Element, statement: Statement) -> Confirmation:
    return Confirmation(
        recipient=_recipient(data, statement),
        confirmation_expiry=_expiry(data.get("NotOnOrAfter"), statement),
        confirmation_not_before=_no_not_before(data),
        confirmation_in_response_to=_same_request(data, statement),
    )


def _recipient(data: etree._Element, statement: Statement) -> Finding:
    received, expected = data.get("Recipient"), statement.expectations.acs_url
    if received == expected:
        return passed(received)
    return failed(expected=expected, received="no Recipient" if received is None else quoted(received))


def _expiry(text: str | None, statement: Statement) -> Finding:
    """A NotOnOrAfter that must be there and not have come."""
    if text is None:
        return failed(expected="a NotOnOrAfter", received="no NotOnOrAfter")
    moment = instant(text)
    if moment is None:
        return failed(expected=UTC_FORM, received=quoted(text))
    if reached(moment, statement.now, statement.skew):
        return failed(expected=f"later than {written(statement.now)}", received=text)
    return passed(text)


def _no_not_before(data: etree._Element) -> Finding:
    received = data.get("NotBefore")
    return passed() if received is None else failed(expected="no NotBefore", received=received)


def _same_request(data: etree._Element, statement: Statement) -> Finding:
    """The unsigned Response could name any request, so the signed assertion must name the same one or none."""
    received, expected = data.get("InResponseTo"), statement.response.in_response_to
    if received == expected:
        return passed(received or "unsolicited")
    return failed(expected=expected or "no InResponseTo", received=received or "no InResponseTo")


def bearer(statement: Statement) -> Finding:
    confirmations = statement.confirmations
    best = statement.best_confirmation
    if best is None:
        return failed(expected="a bearer SubjectConfirmation with data", received=_methods(statement))
    if best.faults == 0:
        return passed(f"{len(confirmations)} bearer confirmation{'s'[: len(confirmations) - 1]}")
    if len(confirmations) == 1:
        return skipped("one bearer confirmation, whose faults are the next rows'")
    return failed(expected="one confirmation that holds", received=f"{len(confirmations)} with a fault each")


def _methods(statement: Statement) -> str:
    found = statement.assertion.iterfind(f"{names.SUBJECT}/{names.SUBJECT_CONFIRMATION}")
    methods = [element.get("Method", "") for element in found]
    if names.BEARER in methods:
        return "a bearer SubjectConfirmation without SubjectConfirmationData"
    return ", ".join(methods[:3]) or "no SubjectConfirmation"


def _of_best(pick: Callable[[Confirmation], Finding]) -> Callable[[Statement], Finding]:
    def finding(statement: Statement) -> Finding:
        best = statement.best_confirmation
        return NOT_REACHED if best is None else pick(best)

    return finding


recipient = _of_best(lambda best: best.recipient)
confirmation_expiry = _of_best(lambda best: best.confirmation_expiry)
confirmation_not_before = _of_best(lambda best: best.confirmation_not_before)
confirmation_in_response_to = _of_best(lambda best: best.confirmation_in_response_to)


# Conditions.


def conditions(statement: Statement) -> Finding:
    found = list(statement.assertion.iterchildren(names.CONDITIONS))
    if len(found) != 1:
        return failed(expected="one Conditions element", received=f"{len(found) or 'no'} Conditions")
    unknown = [etree.QName(condition).localname for condition in found[0] if condition.tag not in _UNDERSTOOD]
    if unknown:  # what is not understood must not be ignored (Core 2.5.1)
        return failed(expected="conditions that are understood", received=", ".join(unknown[:3]))
    return passed()


def audience(statement: Statement) -> Finding:
    """Restrictions add up, the audiences in one are alternatives (Core 2.5.1.4)."""
    if statement.conditions is None:
        return NOT_REACHED
    expected = statement.expectations.entity_id
    restrictions = list(statement.conditions.iterchildren(names.AUDIENCE_RESTRICTION))
    if not restrictions:
        return failed(expected=expected, received="no AudienceRestriction")
    for restriction in restrictions:
        audiences = [text_of(element) for element in restriction.iterchildren(names.AUDIENCE)]
        if expected not in audiences:
            received = ", ".join(quoted(value) for value in audiences[:3]) or "no Audience"
            return failed(expected=expected, received=received)
    return passed(expected)


def not_before(statement: Statement) -> Finding:
    if statement.conditions is None:
        return NOT_REACHED
    text = statement.conditions.get("NotBefore")
    if text is None:
        return skipped("no NotBefore")
    moment = instant(text)
    if moment is None:
        return failed(expected=UTC_FORM, received=quoted(text))
    if in_future(moment, statement.now, statement.skew):
        return failed(expected=f"not later than {written(statement.now)}", received=text)
    return passed(text)


def not_on_or_after(statement: Statement) -> Finding:
    if statement.conditions is None:
        return NOT_REACHED
    return _expiry(statement.conditions.get("NotOnOrAfter"), statement)


def validity_window(statement: Statement) -> Finding:
    if statement.conditions is None:
        return NOT_REACHED
    # Without a NotBefore the assertion holds from the moment it was issued.
    begin = instant(statement.conditions.get("NotBefore") or statement.assertion.get("IssueInstant"))
    end = instant(statement.conditions.get("NotOnOrAfter"))
    if begin is None or end is None:
        return NOT_REACHED
    if begin >= end:
        return failed(expected="NotBefore earlier than NotOnOrAfter", received=f"{written(begin)} to {written(end)}")
    if end - begin > LONGEST_VALIDITY:
        return failed(expected="at most 24 hours", received=str(end - begin))
    if end - begin > LONG_VALIDITY:
        return warning(expected="at most 2 hours", received=str(end - begin))
    return passed(str(end - begin))


# Statements.


def authn_statement(statement: Statement) -> Finding:
    found = statement.authn_statements
    if len(found) != 1:
        return failed(expected="exactly one AuthnStatement", received=f"{len(found) or 'no'} AuthnStatements")
    if child(found[0], names.AUTHN_CONTEXT) is None:
        return failed(expected="an AuthnContext", received="no AuthnContext")
    text = found[0].get("AuthnInstant", "")
    moment = instant(text)
    if moment is None:
        return failed(expected=UTC_FORM, received=quoted(text))
    if in_future(moment, statement.now, statement.skew):
        return failed(expected=f"not after {written(statement.now)}", received=text)
    return passed(text)


def session_expiry(statement: Statement) -> Finding:
    if len(statement.authn_statements) != 1:
        return NOT_REACHED
    text = statement.authn_statements[0].get("SessionNotOnOrAfter")
    return skipped("no SessionNotOnOrAfter") if text is None else _expiry(text, statement)


def authn_context(statement: Statement) -> Finding:
    """Whether the user was authenticated as the request asked: anew (Core 3.4.1), and in which way (3.3.2.2.1).

    An unsolicited response answers no request, so the account's settings count: otherwise leaving out InResponseTo
    would get round what every request of the account asks for.
    """
    if len(statement.authn_statements) != 1:
        return NOT_REACHED
    received = authn_context_of(statement)
    request = answered_request(Held(statement.response, statement.expectations))
    stale = _not_fresh(statement) if request is None else _before_request(statement, request)
    if stale is not None:
        return stale
    asked = _asked_of_all(statement.account) if request is None else _asked_by(request)
    if not asked.contexts:
        return skipped(received or "nothing was requested")
    return _satisfied(received, asked)


def _before_request(statement: Statement, request: PendingRequest) -> Finding | None:
    """A failure where ForceAuthn was asked and AuthnInstant lies before the request by more than clocks may differ."""
    text, moment = _authn_instant(statement)
    if not request.force_authn or moment is None or not in_future(request.sent_at, moment, statement.skew):
        return None
    return failed(expected=f"a sign-in after {written(request.sent_at)}, as ForceAuthn asked", received=text)


def _not_fresh(statement: Statement) -> Finding | None:
    """A failure where the account asks for ForceAuthn and AuthnInstant is older than a request may be."""
    text, moment = _authn_instant(statement)
    age, now = statement.expectations.request_max_age, statement.now
    if not statement.account.force_authn or moment is None or not older(moment, now, age, statement.skew):
        return None
    minutes = int(age.total_seconds() // 60)
    expected = f"a sign-in within the last {minutes} minutes at {written(now)}, since this account asks for ForceAuthn"
    return failed(expected=expected, received=text)


def _authn_instant(statement: Statement) -> tuple[str, datetime | None]:
    """As written, and as a time; None where it is none, which `authn_statement` refuses."""
    text = statement.authn_statements[0].get("AuthnInstant", "")
    return text, instant(text)


@dataclass(frozen=True, slots=True)
class _RequestedContexts:
    contexts: tuple[str, ...]
    comparison: str


def _asked_by(request: PendingRequest) -> _RequestedContexts:
    return _RequestedContexts(request.requested_contexts, request.comparison)


def _asked_of_all(account: AccountTrust) -> _RequestedContexts:
    return _RequestedContexts(account.requested_contexts, account.context_comparison)


def _satisfied(received: str | None, asked: _RequestedContexts) -> Finding:
    """Which context is stronger than another is not written anywhere, so "exact" alone can be judged fully.

    "unspecified" says nothing about strength, so it is never at least as strong as what was asked for.
    """
    comparison, requested = asked.comparison, ", ".join(asked.contexts)
    expected = requested if comparison == Comparison.EXACT else f"{comparison}: {requested}"
    listed = received in asked.contexts
    if received is None:
        return failed(expected=expected, received="no AuthnContextClassRef")
    if listed and comparison != Comparison.BETTER:
        return passed(received)
    silent = received == names.UNSPECIFIED_CONTEXT and comparison != Comparison.MAXIMUM
    if listed or silent or comparison == Comparison.EXACT:
        return failed(expected=expected, received=quoted(received))
    return warning(expected=f"{expected}, which cannot be told", received=received)


def authn_context_of(statement: Statement) -> str | None:
    """The AuthnContextClassRef of the first AuthnStatement, trimmed, or None."""
    for found in statement.authn_statements:
        context = child(found, names.AUTHN_CONTEXT)
        text = None if context is None else child_text(context, names.AUTHN_CONTEXT_CLASS_REF)
        return None if text is None else text.strip(XML_SPACE)
    return None


def attributes(statement: Statement) -> Finding:
    problem = statement.attributes.problem
    if problem is not None:
        return failed(expected=problem[0], received=problem[1])
    missing = statement.attributes.missing
    if missing:
        came = ", ".join(statement.attributes.values) or "no attributes"
        return warning(expected=", ".join(missing), received=came)
    return passed(f"{len(statement.attributes.values)} attributes")
