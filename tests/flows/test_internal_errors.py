"""What is raised while a message is evaluated leaves a refusal with its code, its reference and its message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from house import House
from logouts import SLO_URL, posted, request, response
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from sp.diagnosis.sides import sides
from sp.flows.assertion_consumer import SignIn, consuming
from sp.flows.evidence import evidence_of
from sp.flows.judging_logouts import logout_evidence
from sp.flows.logout_consumer import LogoutDelivery, receive
from sp.models import ConsumedAssertion, SignInAttempt, SignOutMessage, User, UserSession
from sp.saml.checks import BY_CODE, CHECKS
from sp.saml.logout_messages import Kind
from sp.saml.report import Outcome
from sp.store import sign_in_attempts
from sp.store.together import AbandonedError, Steps, Work, run


def count(house: House, table: Any) -> int:
    with house.database.reading() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def kept(house: House, sign_in: SignIn) -> SignInAttempt:
    with house.database.reading() as session:
        found = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
    assert found is not None
    return found


@pytest.fixture
def endless(house: House) -> House:
    """Sessions that would end after the year 9999, which no setting allows: opening one raises OverflowError."""
    return replace(house, settings=house.settings.model_copy(update={"session_max_hours": 10**8}))


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    with capture_logs() as captured:
        yield captured


def test_what_is_raised_while_a_session_is_opened_is_a_refusal(endless: House, logs: list[Any]) -> None:
    xml = endless.idp.response()
    sign_in = endless.post(xml)
    report = sign_in.judgement.report
    assert not sign_in.accepted
    assert report.failed == ("replay",)
    assert "OverflowError" in sides(report.row("replay")).received
    assert [row.code for row in report.rows] == [check.code for check in CHECKS]
    attempt = kept(endless, sign_in)
    assert (attempt.outcome, attempt.failed, attempt.account_id is None) == ("refused", ["replay"], False)
    assert sign_in_attempts.decompress(attempt.message) == xml
    assert [count(endless, table) for table in (User, UserSession, ConsumedAssertion)] == [0, 0, 0]
    (entry,) = [log for log in logs if log["event"] == "evaluation_failed"]
    assert (entry["log_level"], entry["reference"]) == ("error", sign_in.reference)
    assert isinstance(entry["exc_info"], OverflowError)


def test_the_report_is_the_same_whenever_it_is_read(endless: House) -> None:
    sign_in = endless.post(endless.idp.response())
    with endless.database.reading() as session:
        assert evidence_of(session, kept(endless, sign_in)).judgement.report == sign_in.judgement.report


def test_the_same_message_can_be_used_when_the_fault_is_gone(house: House, endless: House) -> None:
    """It was not used, so it is no replay."""
    xml = house.idp.response()
    assert not endless.post(xml).accepted
    assert house.post(xml).accepted


def test_what_is_raised_before_the_account_is_known_leaves_an_attempt_of_no_account(house: House) -> None:
    token: Any = 1  # not a text: looking for the request of this browser raises
    sign_in = house.post(house.idp.response(in_response_to="_q1"), request_token=token)
    report = sign_in.judgement.report
    assert report.failed == ("response_version",)
    assert {row.outcome for row in report.rows if BY_CODE[row.code].stage > 4} == {Outcome.NOT_REACHED}
    attempt = kept(house, sign_in)
    assert attempt.account_id is None
    with house.database.reading() as session:
        assert evidence_of(session, attempt).judgement.report == report


def test_one_of_several_that_share_a_transaction_does_not_refuse_the_others(house: House, endless: House) -> None:
    first = endless.post(house.idp.response(name_id="one@contoso.example"))
    second = house.post(house.idp.response(name_id="two@contoso.example"))
    assert (first.accepted, second.accepted) == (False, True)


def test_a_database_that_is_away_is_no_refusal(house: House) -> None:
    """The client has to try again: nothing could be kept of it."""
    with house.database.writing() as session:
        session.connection().exec_driver_sql("DROP TABLE consumed_assertion")
    with pytest.raises(OperationalError):
        house.post(house.idp.response())


def test_a_message_whose_client_has_left_is_not_evaluated_again(house: House) -> None:
    """A client that leaves at once would otherwise cost two evaluations."""
    steps = consuming(house.database, house.settings, house.delivery(house.idp.response()))
    next(steps)
    with pytest.raises(AbandonedError):
        steps.throw(AbandonedError())


def resumed(steps: Steps[SignIn], work: Work) -> Steps[SignIn]:
    """The rest of the steps, whose next piece of work was taken from them already."""
    while True:
        try:
            result = yield work
        except Exception as error:  # noqa: BLE001  as the steps themselves are given it
            advance = partial(steps.throw, error)
        else:
            advance = partial(steps.send, result)
        try:
            work = advance()
        except StopIteration as stop:
            sign_in: SignIn = stop.value
            return sign_in


def test_settings_that_are_saved_while_a_refusal_is_recorded_leave_an_attempt_of_no_account(house: House) -> None:
    steps = consuming(house.database, house.settings, house.delivery(house.idp.response()))
    next(steps)
    work = steps.throw(OverflowError("as from a column"))
    house.configure(sign_in_url="https://idp.contoso.example/new")
    sign_in = run(house.database, resumed(steps, work))
    assert not sign_in.accepted
    attempt = kept(house, sign_in)
    assert (attempt.outcome, attempt.account_id) == ("refused", None)
    assert "OverflowError" in sides(sign_in.judgement.report.row(attempt.failed[0])).received


def test_a_logout_message_that_raises_is_refused_and_kept(house: House) -> None:
    house.configure(sign_out_url="https://idp.contoso.example/slo", sign_out_binding="redirect")
    house.post(house.idp.response())
    settings = house.settings.model_copy(update={"response_max_age_seconds": 10**15})
    delivery = LogoutDelivery(posted(request(house.idp)), SLO_URL, house.now, "127.0.0.1")
    received = receive(house.database, settings, delivery)
    assert received.judgement.report.failed == ("issuer",)
    assert (count(house, UserSession), count(house, SignOutMessage)) == (1, 1)
    with house.database.reading() as session:
        row = session.execute(select(SignOutMessage)).scalar_one()
        assert (row.outcome, row.failed, row.reference) == ("refused", ["issuer"], received.reference)
        assert row.message is not None
        assert row.expectations["internal_error"] == {"code": "issuer", "kind": "OverflowError"}


def test_a_logout_message_is_reported_alike_whenever_it_is_read(house: House) -> None:
    house.configure(sign_out_url="https://idp.contoso.example/slo", sign_out_binding="redirect")
    token: Any = 1  # not a text: looking for the request of this browser raises
    arrival = posted(response(house.idp, in_response_to="_q1"), Kind.RESPONSE)
    delivery = LogoutDelivery(arrival, SLO_URL, house.now, "127.0.0.1", browser_token=token)
    received = receive(house.database, house.settings, delivery)
    assert received.judgement.report.failed == ("issuer",)
    assert not received.answered_here
    with house.database.reading() as session:
        row = session.execute(select(SignOutMessage)).scalar_one()
        assert logout_evidence(session, row).judgement.report == received.judgement.report
