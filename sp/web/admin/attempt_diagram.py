"""The way of one sign-in, as a sequence diagram: browser, identity provider and service.

Owns the steps, their words and times, and where they are drawn; the template draws. Never tells a step that the
service did not see as if it had: those come from the message's own word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sp.diagnosis.explanations import cause, span
from sp.flows.evidence import Evidence
from sp.saml import names
from sp.saml.checks import BY_CODE
from sp.saml.response import assertions
from sp.saml.times import instant
from sp.saml.xml import child

IDP, BROWSER, SERVICE = 0, 1, 2
WIDTH = 760
_LANES = (130, 380, 630)
_TOP, _ROW = 74, 52
_WORDS = 34
_ARROW = 7
_BROKEN_AT = 0.86


@dataclass(frozen=True, slots=True)
class Step:
    """An arrow. `seen`: this service took part in it; `broken`: here the sign-in ended."""

    source: int
    target: int
    label: str
    moment: datetime | None
    seen: bool = True
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """A step where it is drawn. `head` is the polygon of its point; a broken one ends on its way."""

    step: Step
    x1: int
    x2: int
    y: int
    middle: int
    head: str
    time: str


@dataclass(frozen=True, slots=True)
class Lane:
    x: int
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Diagram:
    lanes: tuple[Lane, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int


def diagram_of(evidence: Evidence) -> Diagram:
    received = evidence.attempt.received_at
    arrows = tuple(
        _arrow(step, _TOP + number * _ROW + _ROW // 2, received) for number, step in enumerate(_steps(evidence))
    )
    return Diagram(_lanes(evidence), arrows, WIDTH, _TOP + len(arrows) * _ROW + 12)


def _lanes(evidence: Evidence) -> tuple[Lane, ...]:
    attempt = evidence.attempt
    return (
        Lane(_LANES[IDP], "Identity provider", _short(attempt.issuer) or "unknown"),
        Lane(_LANES[BROWSER], "Browser", _short(attempt.remote_address)),
        Lane(_LANES[SERVICE], "This service", _short(evidence.inputs.expectations.acs_url)),
    )


def _steps(evidence: Evidence) -> Iterator[Step]:
    yield from _before(evidence)
    yield Step(BROWSER, SERVICE, "POST of the response", evidence.attempt.received_at)
    yield _end(evidence)


def _before(evidence: Evidence) -> Iterator[Step]:
    """What came before the post, by the message's own word."""
    root = evidence.root
    if root is None or root.tag != names.RESPONSE:
        return
    request_id = root.get("InResponseTo")
    if request_id:
        yield from _request(evidence, request_id)
    yield Step(BROWSER, IDP, "Sign-in at the identity provider", _authenticated(evidence), seen=False)
    refused_there = "status" in evidence.judgement.report.failed
    label = "Response: no sign-in" if refused_there else "Response with an assertion"
    yield Step(IDP, BROWSER, label, instant(root.get("IssueInstant")), seen=False, broken=refused_there)


def _request(evidence: Evidence, request_id: str) -> Iterator[Step]:
    pending = evidence.inputs.expectations.pending
    sent = next((request.sent_at for request in pending if request.id == request_id), None)
    if sent is None:
        yield Step(SERVICE, BROWSER, "AuthnRequest, not known here", None, seen=False)
    else:
        yield Step(SERVICE, BROWSER, "AuthnRequest", sent)


def _authenticated(evidence: Evidence) -> datetime | None:
    for assertion in assertions(evidence.root) if evidence.root is not None else ():
        statement = child(assertion, names.AUTHN_STATEMENT)
        return None if statement is None else instant(statement.get("AuthnInstant"))
    return None


def _end(evidence: Evidence) -> Step:
    report = evidence.judgement.report
    if report.accepts:  # without a user it answered a request of the bench
        label = "Signed in" if evidence.attempt.user_id is not None else "Accepted, nobody signed in"
        return Step(SERVICE, BROWSER, label, evidence.attempt.received_at)
    row = cause(report)
    title = "" if row is None else BY_CODE[row.code].title
    return Step(SERVICE, BROWSER, f"Refused: {title}", evidence.attempt.received_at, broken=True)


def _arrow(step: Step, y: int, received: datetime) -> Arrow:
    start, end = _LANES[step.source], _LANES[step.target]
    middle = (start + end) // 2
    if step.broken:
        end = round(start + (end - start) * _BROKEN_AT)
    back = _ARROW if start > end else -_ARROW
    head = f"{end},{y} {end + back},{y - 4} {end + back},{y + 4}"
    return Arrow(step, start, end, y, middle, head, _time(step, received))


def _time(step: Step, received: datetime) -> str:
    """The time of day, and how far it lies from the moment of receipt where that is a second or more."""
    if step.moment is None:
        return "time not known"
    day = "%H:%M:%S" if step.moment.date() == received.date() else "%Y-%m-%d %H:%M:%S"
    distance = step.moment - received
    if abs(distance) < timedelta(seconds=1):
        return f"{step.moment:{day}} UTC"
    return f"{step.moment:{day}} UTC, {span(abs(distance))} {'later' if distance > timedelta() else 'earlier'}"


def _short(text: str) -> str:
    """Fit for one line of the picture: printable, the end cut off."""
    plain = "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
    return plain if len(plain) <= _WORDS else f"{plain[: _WORDS - 1]}…"
