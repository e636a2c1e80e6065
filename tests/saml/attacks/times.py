"""Times that are too early, too late or no times (RSP, SUB, CND, POS): each boundary to the second.

Owns the cases as data. Never runs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from cast import CONTOSO_ISSUER, NOW
from responses import Mutation, all_of, instant, with_attribute
from saml.cases import Case
from saml.one_flaw import AUTHN, CONDITIONS, DATA

from sp.saml.messages import PendingRequest

SECOND = timedelta(seconds=1)
SKEW = timedelta(seconds=180)
OLDEST = SKEW + timedelta(minutes=10)


def mutate(mutation: Mutation) -> dict[str, Any]:
    return {"mutate": mutation}


def response_at(moment: datetime) -> dict[str, Any]:
    return mutate(with_attribute(".", "IssueInstant", instant(moment)))


def assertion_at(moment: datetime) -> dict[str, Any]:
    return mutate(with_attribute("saml:Assertion", "IssueInstant", instant(moment)))


def confirmed_until(moment: datetime) -> dict[str, Any]:
    return mutate(with_attribute(DATA, "NotOnOrAfter", instant(moment)))


def valid(begin: datetime, end: datetime) -> dict[str, Any]:
    return mutate(
        all_of(
            with_attribute(CONDITIONS, "NotBefore", instant(begin)),
            with_attribute(CONDITIONS, "NotOnOrAfter", instant(end)),
        )
    )


OLD = ("response_issue_instant",)
OLD_ASSERTION = ("assertion_issue_instant",)
OVER = ("confirmation_expiry",)
EARLIER = NOW - timedelta(hours=1)
LATER = NOW + timedelta(hours=1)

BOUNDARIES = (
    Case("RSP-04", "a Response of 20 hours ago", OLD, flaw=response_at(NOW - timedelta(hours=20))),
    Case("RSP-05", "a Response of three days ago", OLD, flaw=response_at(NOW - timedelta(days=3))),
    Case("RSP-05 second", "a Response one second too old", OLD, flaw=response_at(NOW - OLDEST - SECOND)),
    Case("RSP-06 second", "a Response one second too early", OLD, flaw=response_at(NOW + SKEW + SECOND)),
    Case("POS-07 old", "a Response as old as may be", flaw=response_at(NOW - OLDEST)),
    Case("POS-07 early", "a Response as early as may be", flaw=response_at(NOW + SKEW)),
    Case(
        "RSP-07 fraction",
        "fractions of a second",
        flaw=mutate(with_attribute(".", "IssueInstant", "2030-01-31T12:00:00.123456789Z")),
    ),
    Case("SUB-10", "the confirmation ended an hour ago", OVER, flaw=confirmed_until(NOW - timedelta(hours=1))),
    Case("SUB-10 skew", "the confirmation has just ended", OVER, flaw=confirmed_until(NOW - SKEW)),
    Case("SUB-10 second", "it ended a second ago", OVER, flaw=confirmed_until(NOW - SKEW - SECOND)),
    Case("POS-07 confirmed", "it ends in a second", flaw=confirmed_until(NOW - SKEW + SECOND)),
    Case("CND-13", "the assertion has just ended", ("not_on_or_after",), flaw=valid(EARLIER, NOW - SKEW)),
    Case("CND-13 second", "it ended a second ago", ("not_on_or_after",), flaw=valid(EARLIER, NOW - SKEW - SECOND)),
    Case("POS-07 ends", "it ends in a second", flaw=valid(EARLIER, NOW - SKEW + SECOND)),
    Case("CND-14", "it begins a second too late", ("not_before",), flaw=valid(NOW + SKEW + SECOND, LATER)),
    Case("POS-07 begins", "it begins as late as may be", flaw=valid(NOW + SKEW, LATER)),
    Case("CND-15", "it ends before it begins", ("validity_window",), flaw=valid(NOW + SECOND, NOW - SECOND)),
    Case("CND-15 same", "it ends as it begins", ("validity_window",), flaw=valid(NOW, NOW)),
    Case("CND-25", "an Assertion one second too old", OLD_ASSERTION, flaw=assertion_at(NOW - OLDEST - SECOND)),
    Case("CND-25 future", "an Assertion one second too early", OLD_ASSERTION, flaw=assertion_at(NOW + SKEW + SECOND)),
    Case(
        "CND-25 none",
        "an Assertion of no time",
        ("schema",),
        flaw=mutate(with_attribute("saml:Assertion", "IssueInstant", None)),
    ),
    Case("SUB-09", "a confirmation without an end", OVER, flaw=mutate(with_attribute(DATA, "NotOnOrAfter", None))),
    Case(
        "SUB-12",
        "a confirmation with a beginning",
        ("confirmation_not_before",),
        flaw=mutate(with_attribute(DATA, "NotBefore", instant(EARLIER))),
    ),
)

PLACES = {
    "RSP-07": (".", "IssueInstant", OLD),
    "CND-25": ("saml:Assertion", "IssueInstant", OLD_ASSERTION),
    "CND-18": (CONDITIONS, "NotOnOrAfter", ("not_on_or_after",)),
    "CND-18 begin": (CONDITIONS, "NotBefore", ("not_before",)),
    "SUB-11": (DATA, "NotOnOrAfter", OVER),
    "AUT-07": (AUTHN, "AuthnInstant", ("authn_statement",)),
    "AUT-08": (AUTHN, "SessionNotOnOrAfter", ("session_expiry",)),
}
# What the schema takes for a time and SAML does not, then what is no time for the schema either.
NOT_UTC = ("2030-01-31T13:00:00+01:00", "2030-01-31T12:00:00", "2030-01-30T24:00:00Z")
NO_TIME = (
    "2030-01-31",
    "2030-01-31T12:00:60Z",
    "0000-01-31T12:00:00Z",
    "2030-13-31T12:00:00Z",
    "2030-01-31T12:00:00z",
    "",
)


def formats() -> Iterator[Case]:
    """Every way to write a time that is not UTC, at every place where a time stands."""
    for (identifier, (path, name, failed)), text in product(PLACES.items(), (*NOT_UTC, *NO_TIME)):
        codes = failed if text in NOT_UTC else ("schema",)
        flaw = mutate(with_attribute(path, name, text))
        yield Case(f"{identifier} {text or 'empty'}", f"{name} is written {text!r}", codes, flaw=flaw)


# No arithmetic may leave the years 1 to 9999: a message that is evaluated with an exception is one that got through.

FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
WINDOW = ("validity_window",)
# Place, what fails at the first moment of all, and at the last one.
EXTREMES = {
    "RSP-07": (".", "IssueInstant", OLD, OLD),
    "CND-25": ("saml:Assertion", "IssueInstant", OLD_ASSERTION, OLD_ASSERTION),
    "CND-18": (CONDITIONS, "NotOnOrAfter", ("not_on_or_after", *WINDOW), WINDOW),
    "CND-18 begin": (CONDITIONS, "NotBefore", WINDOW, ("not_before", *WINDOW)),
    "SUB-11": (DATA, "NotOnOrAfter", OVER, ()),
    "AUT-07": (AUTHN, "AuthnInstant", ("authn_context",), ("authn_statement",)),
    "AUT-08": (AUTHN, "SessionNotOnOrAfter", ("session_expiry",), ()),
}
FRESH = PendingRequest(id="_q1", identity_provider=CONTOSO_ISSUER, sent_at=NOW, force_authn=True)
FRACTIONS = {"seven digits": "1234567", "thousands of digits": "1" * 5000}


def extremes() -> Iterator[Case]:
    """The first and the last moment at every place, in answers to a ForceAuthn request and unasked."""
    ways: dict[str, dict[str, Any]] = {
        "asked": {"given": {"in_response_to": "_q1"}, "held": {"pending": (FRESH,)}},
        "unasked": {"account": {"force_authn": True}},
    }
    for (identifier, (path, name, first, last)), (way, given) in product(EXTREMES.items(), ways.items()):
        for text, failed in ((FIRST, first), (LAST, last), (LAST.replace("Z", ".9999999Z"), last)):
            flaw = mutate(with_attribute(path, name, text))
            yield Case(f"{identifier} {way} {text}", f"{name} is {text}, {way}", failed, flaw=flaw, **given)


def fractions() -> Iterator[Case]:
    """More digits than a microsecond has, which mean no other moment."""
    for (identifier, (path, name, *_)), (story, digits) in product(EXTREMES.items(), FRACTIONS.items()):
        moment = NOW + (timedelta(minutes=5) if name == "NotOnOrAfter" or name.startswith("Session") else -SECOND)
        flaw = mutate(with_attribute(path, name, instant(moment).replace("Z", f".{digits}Z")))
        yield Case(f"{identifier} {story}", f"{name} with {story} after the second", flaw=flaw)


CASES = (*BOUNDARIES, *formats(), *extremes(), *fractions())
