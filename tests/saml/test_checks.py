"""Every row of the table fails for its own flaw alone, and passes without it."""

from __future__ import annotations

import pytest
from responses import Idp, all_of, expectations, judged, with_attribute, with_child, without
from saml.cases import Case, check, ids
from saml.one_flaw import ONE_FLAW

from sp.diagnosis.catalogue import TEXTS
from sp.diagnosis.explanations import message, remedy
from sp.diagnosis.sides import sides_in_sentence
from sp.saml.checks import CHECKS, STAGES
from sp.saml.messages import AccountHolder, Opened, UserLink
from sp.saml.report import Outcome, Report
from sp.saml.validation import conclude, verify

# The specification's list, in its order.
CODES = """
form size base64 encoding no_dtd well_formed no_comments limits root unique_ids schema status one_assertion
response_version response_issue_instant destination in_response_to issuer sso_enabled encryption_algorithms decryption
signature_present signature_structure signature_algorithms signing_key signature assertion_version assertion_issuer
assertion_issue_instant subject bearer recipient confirmation_expiry confirmation_not_before
confirmation_in_response_to conditions audience not_before not_on_or_after validity_window authn_statement
session_expiry authn_context attributes replay username user_link user_active
""".split()  # noqa: SIM905


@pytest.mark.parametrize("case", ONE_FLAW, ids=ids(ONE_FLAW))
def test_one_flaw_fails_one_row(case: Case) -> None:
    check(case)


def test_the_table_has_the_specified_rows_in_their_order() -> None:
    assert [check.code for check in CHECKS] == CODES
    stages = [check.stage for check in CHECKS]
    assert stages == sorted(stages)
    assert set(stages) == set(STAGES)


def test_every_row_has_a_case() -> None:
    assert {case.id for case in ONE_FLAW} == set(CODES)


def test_every_row_has_its_words() -> None:
    for row in CHECKS:
        why, remedy_text = TEXTS[row.code]
        assert row.title
        assert row.clause
        assert why.endswith(".")
        assert remedy_text.endswith(".")


@pytest.mark.parametrize("case", ONE_FLAW, ids=ids(ONE_FLAW))
def test_the_message_names_the_cause_and_the_remedy_says_what_to_change(case: Case) -> None:
    report = case.flawed().report
    expected, received = sides_in_sentence(report.row(case.failed[0]))
    assert received in message(report)
    assert expected
    assert message(report).endswith((".", received))
    assert remedy(report)


def test_every_report_has_every_row_once_in_order() -> None:
    for case in ONE_FLAW:
        assert [row.code for row in case.flawed().report.rows] == CODES


def test_nothing_checked_grants_nothing() -> None:
    idp = Idp.make()
    nothing = conclude(verify(Opened(), expectations(idp)), AccountHolder(replayed=False))
    assert not nothing.report.accepts
    assert {row.outcome for row in nothing.report.rows} == {Outcome.NOT_REACHED}
    assert nothing.identity is None
    assert not Report(()).accepts
    assert message(Report(())) == "Nothing was checked to the end, so nothing is granted."
    assert remedy(Report(())) == ""


def test_without_certificates_nobody_is_let_in() -> None:
    idp = Idp.make()
    without = expectations(idp).account
    assert without is not None
    held = expectations(idp, account=type(without)("business", without.issuer, ()))
    assert judged(idp.response(), held).report.failed == ("signing_key",)


def test_later_rows_are_not_reached_after_a_broken_signature() -> None:
    case = next(case for case in ONE_FLAW if case.id == "signature")
    judgement = case.flawed()
    later = CODES[CODES.index("signature") + 1 :]
    assert {judgement.report.row(code).outcome for code in later} == {Outcome.NOT_REACHED}
    assert judgement.identity is None


def test_an_accepted_message_says_so() -> None:
    idp = Idp.make()
    report = judged(idp.response(), expectations(idp)).report
    assert message(report) == "The response is accepted."
    assert remedy(report) == ""


@pytest.mark.parametrize("link", [UserLink.ONE, UserLink.CREATE])
def test_what_the_store_says_lets_britta_in(link: UserLink) -> None:
    idp = Idp.make()
    status = "active" if link is UserLink.ONE else None
    holder = AccountHolder(replayed=False, link=link, status=status)
    report = judged(idp.response(), expectations(idp), holder).report
    assert report.accepts
    assert report.row("replay").outcome is Outcome.PASSED


def test_the_real_service_has_two_texts_of_its_own() -> None:
    idp = Idp.make()
    held = expectations(idp)
    nobody = judged(idp.response(), held, AccountHolder(link=UserLink.NONE)).report
    several = judged(idp.response(name_id="fed-7"), held, AccountHolder(link=UserLink.MANY)).report
    assert message(nobody).startswith("The SAML user does not link to any user.")
    assert message(several).startswith("No unique user found for the SAML authenticated user fed-7.")


def test_the_message_of_the_identity_provider_is_shown() -> None:
    idp = Idp.make()
    refused = all_of(
        with_attribute(".//samlp:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder"),
        with_child("samlp:Status", "<samlp:StatusMessage>AADSTS50105: not assigned</samlp:StatusMessage>"),
        without("saml:Assertion"),
    )
    report = judged(idp.response(mutate=refused, signed="response"), expectations(idp)).report
    assert report.failed == ("status",)
    assert "AADSTS50105: not assigned" in message(report)
    assert "assigned" in remedy(report)


def test_a_username_that_is_not_acceptable_has_one_failed_row() -> None:
    idp = Idp.make()
    report = judged(idp.response(name_id="britta "), expectations(idp), AccountHolder(link=UserLink.UNAVAILABLE)).report
    assert report.failed == ("username",)
