"""Every hostile logout message is refused for its own reason, beside a control that is accepted."""

from __future__ import annotations

import pytest
from attack import attack
from cast import MALLORY
from logouts import expected, posted, request, response
from responses import Idp, form
from saml.attacks.logouts import CASES, IDP, LIMITS, LogoutCase, judged

from sp.diagnosis.logout_catalogue import TEXTS
from sp.diagnosis.logout_explanations import logout_message, logout_remedy
from sp.diagnosis.sides import sides, sides_in_sentence
from sp.saml import names
from sp.saml.checks.logout import LOGOUT_CHECKS, STAGES, Named, of_kind
from sp.saml.logout import open_logout, verify_logout
from sp.saml.logout_messages import ByForm, Kind
from sp.saml.report import Outcome

PARAMETERS = [
    pytest.param(case, id=f"{case.id}: {case.story}", marks=attack(case.id, case.story, count=1 if case.failed else 0))
    for case in CASES
]


@pytest.mark.parametrize("case", PARAMETERS)
def test_the_attack(case: LogoutCase) -> None:
    control = case.control()
    assert control.report.accepts, control.report.failed
    judgement = case.flawed()
    assert judgement.error is None
    assert judgement.report.failed == case.failed
    assert judgement.report.accepts is (not case.failed)
    if judgement.order is not None:
        assert judgement.order.name_id.value != MALLORY.email


@pytest.mark.parametrize("case", [case for case in CASES if case.failed], ids=lambda case: case.id)
def test_a_refusal_names_both_sides_and_what_to_do(case: LogoutCase) -> None:
    report = case.flawed().report
    row = report.row(case.failed[0])
    expected_side, received = sides_in_sentence(row)
    assert expected_side
    assert received
    sentence = logout_message(report, case.kind)
    assert expected_side in sentence
    assert sentence.endswith((".", "!", "?"))
    assert logout_remedy(report) == TEXTS[row.code][1]


def test_what_is_read_is_what_was_signed() -> None:
    """The message is parsed afresh from the digested bytes: nothing of the received tree is looked at any more."""
    opened = open_logout(posted(request(IDP)), LIMITS)
    verified = verify_logout(opened, expected(IDP))
    assert opened.document is not None
    assert verified.tree is not None
    assert verified.tree is not opened.document.element
    assert verified.tree.find(names.SIGNATURE) is None


def test_every_case_has_its_own_id() -> None:
    ids = [case.id for case in CASES]
    assert sorted(set(ids)) == sorted(ids)


def test_every_row_has_a_case_that_it_refuses() -> None:
    refusing = {case.failed[0] for case in CASES if case.failed}
    told_only = {"logout_sessions", "base64"}  # a warning; and see `test_a_field_that_is_no_base64`
    assert {check.code for check in LOGOUT_CHECKS} - refusing == told_only


def test_the_table_and_the_words_belong_together() -> None:
    assert {check.code for check in LOGOUT_CHECKS} == set(TEXTS)
    assert [check.stage for check in LOGOUT_CHECKS] == sorted(check.stage for check in LOGOUT_CHECKS)
    assert {check.stage for check in LOGOUT_CHECKS} == set(STAGES)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_report_has_every_row_of_its_kind_once(kind: Kind) -> None:
    make = request if kind is Kind.REQUEST else response
    report = judged(posted(make(IDP), kind), expected(IDP)).report
    assert [row.code for row in report.rows] == [check.code for check in of_kind(kind)]


def test_nothing_checked_means_nothing_done() -> None:
    """No row passes by being absent, neither without a message nor without anybody who is trusted."""
    report = judged(posted(b""), expected(IDP)).report
    assert report.failed == ("form",)
    assert {row.outcome for row in report.rows} == {Outcome.FAILED, Outcome.NOT_REACHED}
    stranger = Idp.make("https://idp.stranger.example/")
    assert not judged(posted(request(stranger)), expected(IDP)).report.accepts


def test_no_sessions_is_worth_knowing_and_no_fault() -> None:
    report = judged(posted(request(IDP)), expected(IDP), Named("_x", replayed=False, matched=0, alike=2)).report
    assert report.accepts
    assert report.warnings == ("logout_sessions",)
    assert "2 of the same name under another Format" in sides(report.row("logout_sessions")).received


def test_a_partial_logout_is_accepted_and_told() -> None:
    case = next(case for case in CASES if case.id == "SLO-11.failure")
    xml = response(IDP, status=(names.RESPONDER, names.PARTIAL_LOGOUT), said="Fabrikam did not answer")
    judgement = judged(posted(xml, Kind.RESPONSE), expected(IDP, **case._held({})))
    assert judgement.report.warnings == ("logout_status",)
    assert judgement.answer is not None
    assert judgement.answer.partial
    assert "Fabrikam did not answer" in sides(judgement.report.row("logout_status")).received


def test_a_field_that_is_no_base64() -> None:
    arrival = ByForm(form(("SAMLRequest", "<samlp:LogoutRequest/>")), Kind.REQUEST)
    report = judged(arrival, expected(IDP)).report
    assert report.failed == ("base64",)
    assert sides(report.row("base64")).received == "plain XML that was not encoded"
