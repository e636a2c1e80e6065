"""A value that came is told from our words, whatever it says."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cast import CONTOSO_ISSUER, ENTITY_ID, NOW
from hypothesis import given
from hypothesis import strategies as st
from responses import Idp, all_of, expectations, form, judged, trust, with_attribute, with_child, with_text, without

from sp.diagnosis.explanations import message
from sp.diagnosis.rows import row_json
from sp.diagnosis.sides import in_words, length_of, sides, sides_in_sentence
from sp.saml.checks import CHECKS
from sp.saml.messages import AccountHolder, UserLink
from sp.saml.problems import AudienceProblem, IssuerProblem, RecordedProblem, UserLinkProblem
from sp.saml.report import PASSED, Finding, Outcome, Report, Row
from sp.saml.stored_findings import findings_in, stored_rows
from sp.saml.validation import judge, open_form
from sp.saml.values import (
    Content,
    Count,
    Duration,
    Event,
    Fingerprint,
    Instant,
    Missing,
    Name,
    Several,
    Status,
    Text,
    Unit,
    Uri,
    Value,
    bounded,
    from_json,
    to_json,
)

IDP = Idp.make()


def report_of(holder: AccountHolder | None = None, **response: Any) -> Report:
    return judged(IDP.response(**response), expectations(IDP), holder or AccountHolder(replayed=False)).report


def test_an_audience_with_a_blank_is_an_audience() -> None:
    report = report_of(audience="Contoso Office")
    row = report.row("audience")
    assert row.problem is AudienceProblem.DIFFERENT
    assert (row.expected, row.received) == (Uri(ENTITY_ID), Uri("Contoso Office"))
    assert message(report) == f'The audience is "Contoso Office", but this service\'s entity ID is "{ENTITY_ID}".'


def test_one_audience_with_a_comma_is_one_audience() -> None:
    report = report_of(audience="urn:contoso:office, staging")
    assert report.row("audience").received == Uri("urn:contoso:office, staging")
    assert message(report).startswith('The audience is "urn:contoso:office, staging", but ')


def test_two_audiences_are_two() -> None:
    other = with_child(".//saml:AudienceRestriction", "<saml:Audience>a, b</saml:Audience>")
    report = report_of(audience="urn:other", mutate=other)
    assert report.row("audience").received == Several((Uri("urn:other"), Uri("a, b")))
    assert message(report).startswith('The audiences are "urn:other", "a, b", and none is ')


@pytest.mark.parametrize("value", ["no Issuer", "Contoso IdP", "an identity provider", '"quoted"', 'x", received "y'])
def test_an_issuer_that_reads_like_our_words_is_quoted(value: str) -> None:
    report = report_of(mutate=with_text("saml:Issuer", value))
    row = report.row("issuer")
    assert row.problem is IssuerProblem.UNKNOWN
    assert row.received == Uri(value)
    escaped = value.replace('"', '\\"')
    assert message(report).startswith(
        f'The issuer is "{escaped}", but the account\'s "Issuer URL" is "{CONTOSO_ISSUER}"'
    )
    assert sides(row).received == f'"{escaped}"'


def test_an_issuer_that_is_missing_is_not_quoted() -> None:
    report = report_of(mutate=all_of(without("saml:Issuer"), with_text("saml:Assertion/saml:Issuer", " ")))
    assert report.row("issuer").received == Missing("Issuer")
    assert message(report).startswith("There is no Issuer, and ")


def test_a_subject_with_two_blanks_is_shown_whole() -> None:
    report = report_of(AccountHolder(replayed=False, link=UserLink.NONE), name_id="a user  x")
    assert report.row("username").received == Several((Text("a user  x"), Name("U+0020")))
    assert sides(report.row("username")).received.startswith('"a user  x": it contains white space')
    assert '"a user  x"' in message(report)


@pytest.mark.parametrize("name", ["a user x", "user x", "no NameID"])
def test_a_name_that_nobody_has_is_the_name_that_came(name: str) -> None:
    report = report_of(AccountHolder(replayed=False, link=UserLink.NONE), name_id=name)
    row = report.row("user_link")
    assert (row.problem, row.received) == (UserLinkProblem.NONE, Text(name))
    assert sides(row).expected == f'a user "{name}"'


@pytest.mark.parametrize(
    ("path", "name", "code"),
    [
        (".//saml:SubjectConfirmationData", "NotOnOrAfter", "confirmation_expiry"),
        (".//saml:AuthnStatement", "AuthnInstant", "authn_statement"),
    ],
)
@pytest.mark.parametrize("value", ["no NotOnOrAfter", "one AuthnStatement"])
def test_a_time_that_reads_like_our_words_is_refused_by_the_schema_as_a_value(
    path: str, name: str, code: str, value: str
) -> None:
    report = report_of(mutate=with_attribute(path, name, value))
    assert report.failed == ("schema",)
    assert value in sides(report.row("schema")).received
    assert report.row(code).outcome is Outcome.NOT_REACHED


def test_an_authentication_context_that_reads_like_our_words() -> None:
    words = "no AuthnContextClassRef"
    held = expectations(IDP, account=trust(IDP, requested_contexts=("urn:x",)))
    xml = IDP.response(mutate=with_text(".//saml:AuthnContextClassRef", words))
    row = judged(xml, held).report.row("authn_context")
    assert row.received == Uri(words)
    assert sides(row).received == f'"{words}"'


def test_what_is_missing_and_what_is_called_so_are_two_sides() -> None:
    missing = report_of(mutate=without(".//saml:AudienceRestriction")).row("audience")
    called = report_of(audience="no AudienceRestriction").row("audience")
    assert sides(missing).received == "no AudienceRestriction"
    assert sides(called).received == '"no AudienceRestriction"'


def test_a_value_of_the_service_in_the_wrong_place_is_a_problem_of_its_own() -> None:
    held = expectations(IDP, entity_id="urn:8x8:virtual-office")
    report = judged(IDP.response(audience=held.acs_url), held).report
    assert report.row("audience").problem is AudienceProblem.ACS_URL


def test_rows_that_passed_share_one_finding_without_text() -> None:
    report = report_of(AccountHolder(replayed=False, link=UserLink.CREATE))
    assert report.accepts
    for row in report.rows:
        assert (row.problem, row.expected, row.place) == (None, None, "")
        assert row.received is None or row.code == "user_link"


# JSON.

VALUES: list[Value] = [
    Text("a\nb"),
    Uri("urn:x"),
    Name("Issuer"),
    Missing("Issuer"),
    Instant(NOW),
    Duration(timedelta(minutes=10)),
    Count(3, Unit.BYTES),
    Fingerprint("AA:BB", "CN=x"),
    Status(("urn:a", "urn:b"), "sorry"),
    Event("_1", NOW, "ops"),
    Content("html", ("deflate",), Name("GET")),
    Several((Text("a"), Several(()))),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_survives_its_json(value: Value) -> None:
    data = to_json(value)
    assert data is not None
    assert data["type"] == type(value).__name__.lower()
    assert from_json(data) == value


def test_every_type_of_value_is_tried() -> None:
    assert {type(value) for value in VALUES} == set(Value.__args__)


@given(st.text())
def test_any_text_of_a_finding_can_be_stored_and_sent(text: str) -> None:
    kept = bounded(Text(text))
    assert isinstance(kept, Text)
    assert "\0" not in kept.value
    kept.value.encode("utf-8")
    assert from_json(to_json(kept)) == kept


@given(st.text(max_size=40))
def test_a_bare_value_has_nothing_in_it_that_could_be_ours(text: str) -> None:
    words = in_words(Text(text))
    if not words.startswith('"'):
        assert words == text
        assert " " not in words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(minutes=10), "10 minutes"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=24, seconds=1), "24 hours 1 second"),
        (timedelta(days=3650), "3650 days"),
        (timedelta(minutes=61), "1 hour 1 minute"),
        (timedelta(microseconds=500_000), "0.5 seconds"),
    ],
)
def test_a_length_of_time_is_exact(length: timedelta, words: str) -> None:
    assert length_of(length) == words


def test_a_finding_keeps_a_short_text_of_a_long_value() -> None:
    row = report_of(audience="urn:" + "x" * 100_000).row("audience")
    assert isinstance(row.received, Uri)
    assert len(row.received.value) < 1100
    assert "(100004 characters)" in row.received.value


# Rows of messages that are not kept.

PROBLEMS = {check.code: check.problems for check in CHECKS}


def test_a_stored_row_is_the_row_that_was_found() -> None:
    report = judge(open_form(form(("SAMLResponse", "<html>"))), expectations(IDP)).report
    stored = json.loads(json.dumps(stored_rows(report)))
    found = findings_in(stored, PROBLEMS)
    assert found["base64"] == Finding(*report.row("base64")[1:])
    assert found["form"] == PASSED


def test_a_row_of_an_earlier_version_is_still_readable() -> None:
    rows = [
        {"code": "form", "outcome": "passed", "expected": "", "received": "one SAMLResponse"},
        {"code": "size", "outcome": "failed", "expected": "at most 9 bytes", "received": "10 bytes"},
    ]
    found = findings_in(rows, PROBLEMS)
    row = Row("size", *found["size"])
    assert found["form"] == PASSED
    assert row.problem is RecordedProblem.IN_WORDS
    assert tuple(sides_in_sentence(row)) == ("at most 9 bytes", "10 bytes")
    assert message(Report((row,))) == "The message is too large: expected at most 9 bytes, received 10 bytes."


def test_programs_get_the_problem_and_typed_values_beside_the_texts() -> None:
    assert row_json(report_of(audience="Contoso Office").row("audience")) == {
        "code": "audience",
        "outcome": "failed",
        "expected": ENTITY_ID,
        "received": '"Contoso Office"',
        "problem": "different",
        "expected_value": {"type": "uri", "value": ENTITY_ID},
        "received_value": {"type": "uri", "value": "Contoso Office"},
    }
