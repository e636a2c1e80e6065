"""Only UTC counts, and every comparison has the same skew on both sides, to the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cast import CONTOSO_ISSUER, NOW
from responses import Idp, Mutation, all_of, expectations, instant, judged, with_attribute
from saml.one_flaw import AUTHN, CONDITIONS, DATA

from sp.diagnosis.sides import sides
from sp.saml.messages import PendingRequest
from sp.saml.times import instant as read
from sp.saml.times import written

SKEW = timedelta(seconds=180)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-31T12:00:00",
        "2030-01-31T12:00:00+00:00",
        "2030-01-31T14:00:00+02:00",
        "2030-01-31T12:00:00z",
        "2030-01-31",
        "2030-01-31T24:00:00Z",
        "2030-01-31T23:59:60Z",
        "0000-01-31T12:00:00Z",
        "2030-13-31T12:00:00Z",
        "2030-02-30T12:00:00Z",
        "12030-01-31T12:00:00Z",
        "-2030-01-31T12:00:00Z",
        " 2030-01-31T12:00:00Z",
        "2030-01-31T12:00:00.Z",
        "２030-01-31T12:00:00Z",
        "",
        "now",
    ],
)
def test_not_a_time(text: str) -> None:
    assert read(text) is None


def test_fractions_are_kept_to_the_microsecond() -> None:
    assert read("2030-01-31T12:00:00.123456789Z") == datetime(2030, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
    assert read("2030-01-31T12:00:00.5Z") == datetime(2030, 1, 31, 12, 0, 0, 500000, tzinfo=UTC)
    assert written(datetime(2030, 1, 31, 12, 0, 0, 500000, tzinfo=UTC)) == "2030-01-31T12:00:00.500000Z"


def _both_instants(moment: datetime) -> Mutation:
    text = instant(moment)
    return all_of(with_attribute(".", "IssueInstant", text), with_attribute("saml:Assertion", "IssueInstant", text))


def _ended(moment: datetime) -> Mutation:
    """Valid for an hour, up to that moment."""
    begin = with_attribute(CONDITIONS, "NotBefore", instant(moment - timedelta(hours=1)))
    return all_of(begin, with_attribute(CONDITIONS, "NotOnOrAfter", instant(moment)))


BOTH_INSTANTS = ("response_issue_instant", "assertion_issue_instant")

# story, mutation, codes that fail
BOUNDARIES = [
    ("ends as late as the skew allows", _ended(NOW - SKEW + SECOND), ()),
    ("has ended", _ended(NOW - SKEW), ("not_on_or_after",)),
    ("has ended since", _ended(NOW - SKEW - SECOND), ("not_on_or_after",)),
    ("begins as late as the skew allows", with_attribute(CONDITIONS, "NotBefore", instant(NOW + SKEW)), ()),
    ("begins later", with_attribute(CONDITIONS, "NotBefore", instant(NOW + SKEW + SECOND)), ("not_before",)),
    ("has no beginning", with_attribute(CONDITIONS, "NotBefore", None), ()),
    ("confirmed until just now", with_attribute(DATA, "NotOnOrAfter", instant(NOW - SKEW + SECOND)), ()),
    ("confirmed too long ago", with_attribute(DATA, "NotOnOrAfter", instant(NOW - SKEW)), ("confirmation_expiry",)),
    ("session ends just now", with_attribute(AUTHN, "SessionNotOnOrAfter", instant(NOW - SKEW + SECOND)), ()),
    ("session ended", with_attribute(AUTHN, "SessionNotOnOrAfter", instant(NOW - SKEW)), ("session_expiry",)),
    ("signed in just now", with_attribute(AUTHN, "AuthnInstant", instant(NOW + SKEW)), ()),
    ("signs in later", with_attribute(AUTHN, "AuthnInstant", instant(NOW + SKEW + SECOND)), ("authn_statement",)),
    ("issued just now", _both_instants(NOW + SKEW), ()),
    ("issued later", _both_instants(NOW + SKEW + SECOND), BOTH_INSTANTS),
    ("issued as long ago as may be", _both_instants(NOW - SKEW - timedelta(minutes=10)), ()),
    ("issued too long ago", _both_instants(NOW - SKEW - timedelta(minutes=10) - SECOND), BOTH_INSTANTS),
    ("issued three days ago", _both_instants(NOW - timedelta(days=3)), BOTH_INSTANTS),
    ("session without end", with_attribute(AUTHN, "SessionNotOnOrAfter", "9999-12-31T23:59:59Z"), ()),
    ("confirmed for ever", with_attribute(DATA, "NotOnOrAfter", "9999-12-31T23:59:59Z"), ()),
    ("valid from the year 1", with_attribute(CONDITIONS, "NotBefore", "0001-01-01T00:00:00Z"), ("validity_window",)),
    (
        "valid to the year 9999",
        with_attribute(CONDITIONS, "NotOnOrAfter", "9999-12-31T23:59:59Z"),
        ("validity_window",),
    ),
]


@pytest.mark.parametrize(("story", "mutation", "failed"), BOUNDARIES, ids=[boundary[0] for boundary in BOUNDARIES])
def test_the_boundary(story: str, mutation: Mutation, failed: tuple[str, ...]) -> None:
    idp = Idp.make()
    assert judged(idp.response(), expectations(idp)).report.accepts
    report = judged(idp.response(mutate=mutation), expectations(idp)).report
    assert report.failed == failed, story
    assert report.accepts is not bool(failed)


@pytest.mark.parametrize(
    ("path", "name", "codes"),
    [
        (CONDITIONS, "NotBefore", ("not_before",)),
        (CONDITIONS, "NotOnOrAfter", ("not_on_or_after",)),
        (DATA, "NotOnOrAfter", ("confirmation_expiry",)),
        (AUTHN, "AuthnInstant", ("authn_statement",)),
        (AUTHN, "SessionNotOnOrAfter", ("session_expiry",)),
        (".", "IssueInstant", ("response_issue_instant",)),
        ("saml:Assertion", "IssueInstant", ("assertion_issue_instant",)),
    ],
)
@pytest.mark.parametrize("text", ["2030-01-31T13:00:00+01:00", "2030-01-31T12:00:00", "2030-01-30T24:00:00Z"])
def test_a_time_that_is_not_utc_fails_its_row(path: str, name: str, codes: tuple[str, ...], text: str) -> None:
    idp = Idp.make()
    report = judged(idp.response(mutate=with_attribute(path, name, text)), expectations(idp)).report
    assert report.failed == codes
    assert text in sides(report.row(codes[0])).received


@pytest.mark.parametrize("text", ["garbage", "", "2030-01-31", "0000-01-31T12:00:00Z"])
def test_the_schema_refuses_what_is_no_time_at_all(text: str) -> None:
    idp = Idp.make()
    report = judged(idp.response(mutate=with_attribute(CONDITIONS, "NotBefore", text)), expectations(idp)).report
    assert report.failed == ("schema",)


@pytest.mark.parametrize(
    ("age", "failed"), [(timedelta(minutes=13) - SECOND, ()), (timedelta(minutes=13), ("in_response_to",))]
)
def test_a_request_is_answered_in_ten_minutes(age: timedelta, failed: tuple[str, ...]) -> None:
    idp = Idp.make()
    held = expectations(idp, pending=(PendingRequest("_q1", CONTOSO_ISSUER, NOW - age),))
    assert judged(idp.response(in_response_to="_q1"), held).report.failed == failed


@pytest.mark.parametrize(("hours", "warns"), [(2, False), (3, True), (24, True)])
def test_a_long_validity_is_a_warning(hours: int, *, warns: bool) -> None:
    idp = Idp.make()
    report = judged(idp.response(lifetime=timedelta(hours=hours)), expectations(idp)).report
    assert report.accepts
    assert ("validity_window" in report.warnings) is warns
