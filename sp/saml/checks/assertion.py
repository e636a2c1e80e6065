"""Stage 8: the assertion. Owns the judgement of what a verified signature covers; never reads anything else.

The Response around it is looked at only to refuse: where its unsigned values contradict the assertion's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from lxml import etree

from sp.saml import names
from sp.saml.checks.response import Held, answered_request, issue_instant, other_address, version
from sp.saml.decryption import encryption_problem, opened
from sp.saml.identity import VALUE_CHARACTERS, Attributes, name_id_of, read_name_id
from sp.saml.messages import AccountTrust, Comparison, Expectations, NameId, PendingRequest, UnverifiedResponse
from sp.saml.problems import (
    AddressProblem,
    AssertionIssuerProblem,
    AttributeProblem,
    AudienceProblem,
    AuthnContextProblem,
    AuthnStatementProblem,
    BearerProblem,
    ConditionsProblem,
    ConfirmationNotBeforeProblem,
    SameRequestProblem,
    SubjectProblem,
    TimeProblem,
    WindowProblem,
)
from sp.saml.report import NOT_REACHED, PASSED, SKIPPED, Fault, Finding, Outcome, failed, warning
from sp.saml.response import child_text
from sp.saml.times import in_future, instant, older, reached
from sp.saml.values import Count, Duration, Instant, Missing, Name, Several, Text, Unit, Uri, Value, names_of
from sp.saml.xml import XML_SPACE, child, text_of

LONGEST_VALIDITY = timedelta(hours=24)
LONG_VALIDITY = timedelta(hours=2)

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
        return failed(AssertionIssuerProblem.DIFFERENT, Uri(statement.account.issuer), Uri(received))
    if around is None and statement.response_signed:
        return failed(AssertionIssuerProblem.NOT_IN_RESPONSE, received=Missing("Issuer"))
    if around is not None and around.strip(XML_SPACE) != received:
        return failed(AssertionIssuerProblem.RESPONSE_DIFFERS, Uri(received), Uri(around))
    for parent in (statement.assertion, statement.response.tree):
        if fault := _issuer_attribute_problem(child(parent, names.ISSUER)):
            return failed(*fault)
    return PASSED


def _issuer_attribute_problem(issuer: etree._Element | None) -> Fault | None:
    """An entity identifier has no other format and no qualifiers (Core 8.3.6)."""
    if issuer is None:
        return None
    for name in ("NameQualifier", "SPNameQualifier", "SPProvidedID"):
        if issuer.get(name) is not None:
            return Fault(AssertionIssuerProblem.QUALIFIER, received=Name(name))
    given = issuer.get("Format", names.ENTITY_FORMAT)
    return None if given == names.ENTITY_FORMAT else Fault(AssertionIssuerProblem.FORMAT, received=Uri(given))


def assertion_issue_instant(statement: Statement) -> Finding:
    return issue_instant(statement.assertion.get("IssueInstant", ""), statement.expectations)


def subject(statement: Statement) -> Finding:
    name_id = statement.name_id
    if name_id is None:
        return no_name_id(statement.encrypted_id)
    fault = value_problem(name_id) or _qualifier_problem(name_id, statement)
    if fault is not None:
        return failed(*fault)
    if name_id.format == names.TRANSIENT_FORMAT and _refuses_transient(statement.account):
        return failed(SubjectProblem.TRANSIENT, received=Uri(names.TRANSIENT_FORMAT))
    return PASSED


def no_name_id(encrypted: etree._Element | None) -> Finding:
    """The failure of a message without a NameID that can be read.

    Everything that takes a key has one problem: a difference that a sender can see is an oracle.
    """
    if encrypted is None:
        return failed(SubjectProblem.MISSING, received=Missing("NameID"))
    return failed(*(encryption_problem(encrypted) or Fault(SubjectProblem.NOT_OPENED)))


def value_problem(name_id: NameId) -> Fault | None:
    """What makes the value of a NameID unusable, or None."""
    if not name_id.value.strip():
        return Fault(SubjectProblem.EMPTY, received=Text(name_id.value))
    if len(name_id.value) > VALUE_CHARACTERS:
        limit, count = Count(VALUE_CHARACTERS, Unit.CHARACTERS), Count(len(name_id.value), Unit.CHARACTERS)
        return Fault(SubjectProblem.TOO_LONG, limit, count)
    return None


def _qualifier_problem(name_id: NameId, statement: Statement) -> Fault | None:
    """A name qualified for another service, or by another provider, names somebody of theirs (Core 8.3.7)."""
    for problem, received, expected in (
        (SubjectProblem.SP_NAME_QUALIFIER, name_id.sp_name_qualifier, statement.expectations.entity_id),
        (SubjectProblem.NAME_QUALIFIER, name_id.name_qualifier, statement.account.issuer),
    ):
        if received is not None and received != expected:
            return Fault(problem, Uri(expected), Uri(received))
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
        return PASSED
    if received is None:
        return failed(AddressProblem.MISSING, Uri(expected), Missing("Recipient"))
    return other_address(statement.expectations, received)


def _expiry(text: str | None, statement: Statement) -> Finding:
    """A NotOnOrAfter that must be there and not have come."""
    if text is None:
        return failed(TimeProblem.MISSING, received=Missing("NotOnOrAfter"))
    moment = instant(text)
    if moment is None:
        return failed(TimeProblem.NOT_A_TIME, received=Text(text))
    if reached(moment, statement.now, statement.skew):
        return failed(TimeProblem.EXPIRED, Instant(statement.now), Instant(moment))
    return PASSED


def _no_not_before(data: etree._Element) -> Finding:
    received = data.get("NotBefore")
    if received is None:
        return PASSED
    return failed(ConfirmationNotBeforeProblem.PRESENT, Missing("NotBefore"), Text(received))


def _same_request(data: etree._Element, statement: Statement) -> Finding:
    """The unsigned Response could name any request, so the signed assertion must name the same one or none."""
    received, expected = data.get("InResponseTo"), statement.response.in_response_to
    if received == expected:
        return PASSED
    return failed(SameRequestProblem.DIFFERENT, _request_id(expected), _request_id(received))


def _request_id(identifier: str | None) -> Value:
    return Missing("InResponseTo") if identifier is None else Text(identifier)


def bearer(statement: Statement) -> Finding:
    confirmations = statement.confirmations
    best = statement.best_confirmation
    if best is None:
        return failed(*_no_bearer(statement))
    if best.faults == 0:
        return PASSED
    if len(confirmations) == 1:
        return SKIPPED  # its faults are the next rows'
    return failed(BearerProblem.ALL_FAULTY, received=Count(len(confirmations), Unit.CONFIRMATIONS))


def _no_bearer(statement: Statement) -> Fault:
    found = statement.assertion.iterfind(f"{names.SUBJECT}/{names.SUBJECT_CONFIRMATION}")
    methods = [element.get("Method", "") for element in found]
    if names.BEARER in methods:
        return Fault(BearerProblem.NO_DATA, received=Missing("SubjectConfirmationData"))
    if not methods:
        return Fault(BearerProblem.MISSING, received=Missing("SubjectConfirmation"))
    return Fault(BearerProblem.OTHER_METHOD, Uri(names.BEARER), Several(tuple(map(Uri, methods[:3]))))


def recipient(statement: Statement) -> Finding:
    best = statement.best_confirmation
    return NOT_REACHED if best is None else best.recipient


def confirmation_expiry(statement: Statement) -> Finding:
    best = statement.best_confirmation
    return NOT_REACHED if best is None else best.confirmation_expiry


def confirmation_not_before(statement: Statement) -> Finding:
    best = statement.best_confirmation
    return NOT_REACHED if best is None else best.confirmation_not_before


def confirmation_in_response_to(statement: Statement) -> Finding:
    best = statement.best_confirmation
    return NOT_REACHED if best is None else best.confirmation_in_response_to


# Conditions.


def conditions(statement: Statement) -> Finding:
    found = list(statement.assertion.iterchildren(names.CONDITIONS))
    if len(found) != 1:
        return failed(ConditionsProblem.COUNT, Count(1, Unit.CONDITIONS), Count(len(found), Unit.CONDITIONS))
    unknown = [etree.QName(condition).localname for condition in found[0] if condition.tag not in _UNDERSTOOD]
    if unknown:  # what is not understood must not be ignored (Core 2.5.1)
        return failed(ConditionsProblem.UNKNOWN, received=names_of(unknown[:3]))
    return PASSED


def audience(statement: Statement) -> Finding:
    """Restrictions add up, the audiences in one are alternatives (Core 2.5.1.4)."""
    if statement.conditions is None:
        return NOT_REACHED
    expected = statement.expectations.entity_id
    restrictions = list(statement.conditions.iterchildren(names.AUDIENCE_RESTRICTION))
    if not restrictions:
        return failed(AudienceProblem.NO_RESTRICTION, Uri(expected), Missing("AudienceRestriction"))
    for restriction in restrictions:
        audiences = [text_of(element) for element in restriction.iterchildren(names.AUDIENCE)]
        if expected not in audiences:
            return failed(*_other_audiences(audiences, statement.expectations))
    return PASSED


def _other_audiences(audiences: list[str], expectations: Expectations) -> Fault:
    expected = Uri(expectations.entity_id)
    if not audiences:
        return Fault(AudienceProblem.NO_AUDIENCE, expected, Missing("Audience"))
    if audiences == [expectations.acs_url]:
        return Fault(AudienceProblem.ACS_URL, expected, Uri(audiences[0]))
    received = Uri(audiences[0]) if len(audiences) == 1 else Several(tuple(map(Uri, audiences[:3])))
    return Fault(AudienceProblem.DIFFERENT, expected, received)


def not_before(statement: Statement) -> Finding:
    if statement.conditions is None:
        return NOT_REACHED
    text = statement.conditions.get("NotBefore")
    if text is None:
        return SKIPPED
    moment = instant(text)
    if moment is None:
        return failed(TimeProblem.NOT_A_TIME, received=Text(text))
    if in_future(moment, statement.now, statement.skew):
        return failed(TimeProblem.IN_FUTURE, Instant(statement.now), Instant(moment))
    return PASSED


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
        return failed(WindowProblem.REVERSED, received=Several((Instant(begin), Instant(end))))
    if end - begin > LONGEST_VALIDITY:
        return failed(WindowProblem.TOO_LONG, Duration(LONGEST_VALIDITY), Duration(end - begin))
    if end - begin > LONG_VALIDITY:
        return warning(WindowProblem.LONG, Duration(LONG_VALIDITY), Duration(end - begin))
    return PASSED


# Statements.


def authn_statement(statement: Statement) -> Finding:
    found = statement.authn_statements
    if len(found) != 1:
        return failed(AuthnStatementProblem.COUNT, Count(1, Unit.STATEMENTS), Count(len(found), Unit.STATEMENTS))
    if child(found[0], names.AUTHN_CONTEXT) is None:
        return failed(AuthnStatementProblem.NO_CONTEXT, received=Missing("AuthnContext"))
    text = found[0].get("AuthnInstant", "")
    moment = instant(text)
    if moment is None:
        return failed(TimeProblem.NOT_A_TIME, received=Text(text))
    if in_future(moment, statement.now, statement.skew):
        return failed(TimeProblem.IN_FUTURE, Instant(statement.now), Instant(moment))
    return PASSED


def session_expiry(statement: Statement) -> Finding:
    if len(statement.authn_statements) != 1:
        return NOT_REACHED
    text = statement.authn_statements[0].get("SessionNotOnOrAfter")
    return SKIPPED if text is None else _expiry(text, statement)


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
        return SKIPPED
    return _satisfied(received, asked)


def _before_request(statement: Statement, request: PendingRequest) -> Finding | None:
    """A failure where ForceAuthn was asked and AuthnInstant lies before the request by more than clocks may differ."""
    moment = _authn_instant(statement)
    if not request.force_authn or moment is None or not in_future(request.sent_at, moment, statement.skew):
        return None
    return failed(AuthnContextProblem.BEFORE_REQUEST, Instant(request.sent_at), Instant(moment))


def _not_fresh(statement: Statement) -> Finding | None:
    """A failure where the account asks for ForceAuthn and AuthnInstant is older than a request may be."""
    moment = _authn_instant(statement)
    age, now = statement.expectations.request_max_age, statement.now
    if not statement.account.force_authn or moment is None or not older(moment, now, age, statement.skew):
        return None
    bound = Several((Duration(age), Instant(now)))
    return failed(AuthnContextProblem.NOT_FRESH, bound, Instant(moment))


def _authn_instant(statement: Statement) -> datetime | None:
    """When the user signed in; None where it is none, which `authn_statement` refuses."""
    return instant(statement.authn_statements[0].get("AuthnInstant"))


@dataclass(frozen=True, slots=True)
class _RequestedContexts:
    contexts: tuple[str, ...]
    comparison: str

    @property
    def value(self) -> Several:
        """The contexts, after the comparison where that is not "exact"."""
        contexts = Several(tuple(map(Uri, self.contexts)))
        return contexts if self.comparison == Comparison.EXACT else Several((Name(self.comparison), contexts))


def _asked_by(request: PendingRequest) -> _RequestedContexts:
    return _RequestedContexts(request.requested_contexts, request.comparison)


def _asked_of_all(account: AccountTrust) -> _RequestedContexts:
    return _RequestedContexts(account.requested_contexts, account.context_comparison)


def _satisfied(received: str | None, asked: _RequestedContexts) -> Finding:
    """Which context is stronger than another is not written anywhere, so "exact" alone can be judged fully.

    "unspecified" says nothing about strength, so it is never at least as strong as what was asked for.
    """
    comparison, expected = asked.comparison, asked.value
    listed = received in asked.contexts
    if received is None:
        return failed(AuthnContextProblem.MISSING, expected, Missing("AuthnContextClassRef"))
    if listed and comparison != Comparison.BETTER:
        return PASSED
    silent = received == names.UNSPECIFIED_CONTEXT and comparison != Comparison.MAXIMUM
    if comparison == Comparison.EXACT:
        return failed(AuthnContextProblem.DIFFERENT, expected, Uri(received))
    if listed or silent:
        return failed(AuthnContextProblem.NOT_SATISFIED, expected, Uri(received))
    return warning(AuthnContextProblem.UNDECIDED, expected, Uri(received))


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
        return failed(*problem)
    missing = statement.attributes.missing
    if missing:
        came = Several(tuple(map(Text, statement.attributes.values)))
        return warning(AttributeProblem.MISSING, Several(tuple(map(Text, missing))), came)
    return PASSED
