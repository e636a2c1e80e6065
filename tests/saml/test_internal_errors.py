"""An exception while a message is evaluated is a refusal: the same rows in the same order, and the message kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import logouts
import pytest
from cast import CONTOSO_ISSUER
from logouts import expected, request
from responses import Idp, expectations, posted, trust
from saml.attacks.logouts import LIMITS

from sp.diagnosis.sides import sides
from sp.saml.checks import CHECKS
from sp.saml.checks.logout import of_kind
from sp.saml.internal_errors import stopped_at
from sp.saml.logout import conclude_logout, open_logout, verify_logout
from sp.saml.logout_messages import Kind
from sp.saml.messages import AccountHolder, Limits
from sp.saml.report import Outcome
from sp.saml.validation import judge, open_form

IDP = Idp.make(CONTOSO_ISSUER)
FAULTY: Any = object()  # a value that no code which validates settings would let through


def rows_after(code: str) -> list[str]:
    codes = [check.code for check in CHECKS]
    return codes[codes.index(code) + 1 :]


@pytest.mark.parametrize(
    ("code", "held", "account", "holder"),
    [
        ("response_issue_instant", {"skew": timedelta.max}, {}, AccountHolder()),
        ("signature_present", {}, {"signed_part": FAULTY}, AccountHolder()),
        ("signing_key", {}, {"certificates": (FAULTY,)}, AccountHolder()),
        ("authn_context", {}, {"requested_contexts": FAULTY}, AccountHolder()),
        ("attributes", {}, {"attribute_names": FAULTY}, AccountHolder()),
        ("user_link", {}, {}, AccountHolder(replayed=False, link=FAULTY)),
    ],
)
def test_the_row_that_raised_refuses(
    code: str, held: dict[str, Any], account: dict[str, Any], holder: AccountHolder
) -> None:
    xml = IDP.response()
    opened = open_form(posted(xml))
    judgement = judge(opened, expectations(IDP, account=trust(IDP, **account), **held), holder)
    report = judgement.report
    assert not report.accepts
    assert report.failed[-1] == code
    assert "internal error" in sides(report.row(code)).received
    assert [row.code for row in report.rows] == [check.code for check in CHECKS]
    assert {report.row(later).outcome for later in rows_after(code)} <= {Outcome.NOT_REACHED}
    assert judgement.error is not None
    assert judgement.identity is None or code == "user_link"
    assert opened.xml == xml


def test_what_raises_before_there_is_a_response_refuses_too() -> None:
    opened = open_form(posted(IDP.response()), Limits(depth=FAULTY))
    report = judge(opened, expectations(IDP)).report
    assert report.failed == ("limits",)
    assert opened.xml is not None
    assert opened.error is not None


def test_a_text_of_the_exception_is_not_shown() -> None:
    """It may quote the message, or what only the operator may know."""
    report = judge(open_form(posted(IDP.response())), expectations(IDP, skew=timedelta.max)).report
    assert sides(report.row("response_issue_instant")).received == (
        "an internal error (OverflowError); the log has it under this reference"
    )


def test_a_report_is_stopped_where_it_was() -> None:
    whole = judge(open_form(posted(IDP.response())), expectations(IDP)).report
    stopped = stopped_at(whole, "replay", "OverflowError")
    assert stopped.failed == ("replay",)
    assert not stopped.accepts
    assert stopped.rows[:-4] == whole.rows[:-4]
    assert {row.outcome for row in stopped.rows[-3:]} == {Outcome.NOT_REACHED}


@pytest.mark.parametrize(
    ("code", "held"),
    [
        ("logout_issue_instant", {"common": {"skew": timedelta.max}}),
        ("signature_present", {"account": {"certificates": (FAULTY,)}}),
    ],
)
def test_a_logout_message_that_raises_is_refused(code: str, held: dict[str, Any]) -> None:
    opened = open_logout(logouts.posted(request(IDP)), LIMITS)
    judgement = conclude_logout(verify_logout(opened, expected(IDP, **held)))
    assert judgement.report.failed == (code,)
    assert judgement.error is not None
    assert [row.code for row in judgement.report.rows] == [check.code for check in of_kind(Kind.REQUEST)]
    assert judgement.order is None


def test_a_logout_message_that_raises_while_it_is_opened_is_refused() -> None:
    opened = open_logout(logouts.posted(request(IDP)), Limits(depth=FAULTY))
    assert conclude_logout(verify_logout(opened, expected(IDP))).report.failed == ("limits",)
    assert opened.xml is not None
