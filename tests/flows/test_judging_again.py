"""The verdict on an attempt, computed again: as it was then, and against other settings."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cast import BRITTA, ENTITY_ID, FABRIKAM_ISSUER, MALLORY, NOW
from house import House
from responses import Idp, form, with_attribute, without
from saml.attacks import content, documents, signatures
from saml.cases import Case
from saml.one_flaw import ONE_FLAW
from sqlalchemy import func, select

from sp.flows.assertion_consumer import SignIn, UnreadForm
from sp.flows.judging_again import Changes, judge_again, judge_attempt
from sp.models import ConsumedAssertion, SignInAttempt, SsoSettings, User, UserSession
from sp.saml import names
from sp.saml.messages import Judgement, PendingRequest, SignedPart
from sp.saml.problems import FormProblem
from sp.saml.report import Fault, Outcome, Report
from sp.saml.values import Text
from sp.store import accounts, sign_in_attempts
from sp.store.rows import required


def attempt(house: House, sign_in: SignIn) -> SignInAttempt:
    with house.database.reading() as session:
        found = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
    assert found is not None
    return found


def report_then(house: House, sign_in: SignIn) -> Report:
    with house.database.reading() as session:
        return judge_attempt(session, attempt(house, sign_in)).report


def again(house: House, sign_in: SignIn, **changes: Any) -> Judgement:
    with house.database.reading() as session:
        return judge_again(session, attempt(house, sign_in), Changes(**changes))


def version_in_force(house: House) -> int:
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return required(account.settings_id)


def rows(house: House) -> list[int]:
    tables = (User, UserSession, ConsumedAssertion, SignInAttempt, SsoSettings)
    with house.database.reading() as session:
        return [int(session.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables]


class TestAsItWas:
    def test_an_accepted_attempt(self, house: House) -> None:
        sign_in = house.post(house.idp.response())
        assert sign_in.accepted
        assert report_then(house, sign_in) == sign_in.judgement.report

    @pytest.mark.parametrize(
        "cases",
        [ONE_FLAW, signatures.CASES, documents.CASES, content.CASES],
        ids=("rows", "signatures", "documents", "content"),
    )
    def test_every_message_with_a_flaw(self, house: House, cases: tuple[Case, ...]) -> None:
        """Whatever these come to in this house: the second verdict is the first."""
        for case in cases:
            xml = case.flaw_signer(case.idp).response(**{**case.given, **case.flaw})
            sign_in = house.post(xml, form=case.flaw_form(xml), pending=case.held.get("pending", ()))
            assert report_then(house, sign_in) == sign_in.judgement.report, case.id

    @pytest.mark.parametrize(
        "posted",
        [
            form(("SAMLResponse", "garbage!")),
            form(("SAMLResponse", "")),
            form(("SAMLRequest", "PHg+")),
            form(("SAMLResponse", base64.b64encode(b"x" * 300_000).decode())),
            form(method="GET"),
            UnreadForm("form", Fault(FormProblem.CONTENT_ENCODING, received=Text("gzip"))),
        ],
    )
    def test_a_form_that_never_became_a_message(self, house: House, posted: Any) -> None:
        sign_in = house.post(b"", form=posted)
        assert not sign_in.accepted
        assert report_then(house, sign_in) == sign_in.judgement.report

    def test_an_answer_to_a_request(self, house: House) -> None:
        request = PendingRequest("_q1", house.idp.entity_id, NOW, False, ("urn:x",), "exact")
        sign_in = house.post(house.idp.response(in_response_to="_q1"), pending=(request,))
        assert sign_in.judgement.report.failed == ("authn_context",)
        assert report_then(house, sign_in) == sign_in.judgement.report

    def test_a_replay_stays_a_replay_and_the_first_stays_the_first(self, house: House) -> None:
        xml = house.idp.response()
        first, second = house.post(xml), house.post(xml)
        assert report_then(house, first).accepts
        assert report_then(house, second) == second.judgement.report
        assert second.judgement.report.failed == ("replay",)

    def test_settings_that_changed_since_change_nothing(self, house: House) -> None:
        sign_in = house.post(house.idp.response())
        house.configure(issuer=FABRIKAM_ISSUER, certificates=(Idp.make(FABRIKAM_ISSUER).certificate,))
        assert report_then(house, sign_in) == sign_in.judgement.report

    def test_an_account_that_was_switched_off_since_changes_nothing(self, house: House) -> None:
        sign_in = house.post(house.idp.response())
        _switch_off(house)
        assert report_then(house, sign_in) == sign_in.judgement.report

    def test_an_account_that_was_switched_off_then(self, house: House) -> None:
        _switch_off(house)
        sign_in = house.post(house.idp.response())
        assert sign_in.judgement.report.failed == ("sso_enabled",)
        assert report_then(house, sign_in) == sign_in.judgement.report

    def test_other_settings_of_the_service(self, make_house: Callable[..., House]) -> None:
        """What the service allowed then is kept with the attempt, not read from what it allows now."""
        strict = make_house(clock_skew_seconds=1, max_message_bytes=2048, response_max_age_seconds=30)
        strict.configure()
        big = strict.post(strict.idp.response())
        assert big.judgement.report.failed == ("size",)
        assert report_then(strict, big) == big.judgement.report

    def test_a_user_who_came_since_changes_nothing(self, house: House) -> None:
        house.configure(provisioning=False)
        refused = house.post(house.idp.response())
        assert refused.judgement.report.failed == ("user_link",)
        house.configure(provisioning=True)
        house.post(house.idp.response())
        assert report_then(house, refused) == refused.judgement.report


class TestWhatIf:
    def test_without_changes_it_is_the_verdict_of_then(self, house: House) -> None:
        for sign_in in (house.post(house.idp.response()), house.post(house.idp.response(audience="urn:other"))):
            assert again(house, sign_in).report == sign_in.judgement.report

    def test_another_entity_id(self, house: House) -> None:
        sign_in = house.post(house.idp.response(audience="urn:other"))
        assert sign_in.judgement.report.failed == ("audience",)
        assert again(house, sign_in, entity_id="urn:other").report.accepts

    def test_another_acs_url(self, house: House) -> None:
        sign_in = house.post(house.idp.response(recipient="https://x.example/", destination="https://x.example/"))
        assert again(house, sign_in, acs_url="https://x.example/").report.accepts

    def test_another_time(self, house: House) -> None:
        sign_in = house.post(house.idp.response(now=NOW - timedelta(hours=1)))
        assert not sign_in.accepted
        assert again(house, sign_in, now=NOW - timedelta(hours=1)).report.accepts
        accepted = house.post(house.idp.response())
        assert "not_on_or_after" in again(house, accepted, now=NOW + timedelta(days=1)).report.failed

    def test_the_certificate_that_was_rolled_over(self, house: House) -> None:
        rolled = house.idp.with_key("rolled over")
        sign_in = house.post(rolled.response())
        assert sign_in.judgement.report.failed == ("signing_key",)
        judgement = again(house, sign_in, certificates=(rolled.certificate,))
        assert judgement.report.accepts
        assert judgement.certificate == rolled.certificate

    def test_sha1_allowed(self, house: House) -> None:
        sign_in = house.post(house.idp.response(method=names.RSA_SHA1, digest=names.SHA1))
        assert sign_in.judgement.report.failed == ("signature_algorithms",)
        report = again(house, sign_in, allow_sha1=True).report
        assert report.accepts
        assert report.row("signature_algorithms").outcome is Outcome.WARNING

    def test_another_part_signed(self, house: House) -> None:
        sign_in = house.post(house.idp.response(signed="assertion"))
        assert again(house, sign_in, signed_part=SignedPart.RESPONSE).report.failed == ("signature_present",)
        assert again(house, sign_in, signed_part=SignedPart.ASSERTION).report.accepts

    def test_another_version_of_the_settings(self, house: House) -> None:
        old = version_in_force(house)
        house.configure(certificates=(house.idp.with_key("new").certificate,))
        sign_in = house.post(house.idp.response())
        assert sign_in.judgement.report.failed == ("signing_key",)
        assert again(house, sign_in, settings_id=old).report.accepts

    def test_a_version_under_which_the_user_is_looked_for_differently(self, house: House) -> None:
        house.configure(provisioning=False)
        strict = version_in_force(house)
        house.configure(provisioning=True)
        sign_in = house.post(house.idp.response(name_id="nobody@contoso.example", audience="urn:other"))
        report = again(house, sign_in, settings_id=strict, entity_id="urn:other").report
        assert report.failed == ("user_link",)

    def test_an_unknown_issuer_against_the_accounts_settings(self, house: House) -> None:
        stranger = replace(house.idp, entity_id=house.idp.entity_id.rstrip("/"))
        sign_in = house.post(stranger.response())
        assert attempt(house, sign_in).account_id is None
        assert again(house, sign_in, settings_id=version_in_force(house)).report.failed == ("issuer",)
        fixed = again(house, sign_in, settings_id=version_in_force(house), issuer=stranger.entity_id)
        assert fixed.report.accepts

    def test_a_certificate_for_an_unknown_issuer_is_no_account(self, house: House) -> None:
        mallory = Idp.make("https://idp.mallory.example/")
        sign_in = house.post(mallory.response(name_id=MALLORY.email))
        assert again(house, sign_in, certificates=(mallory.certificate,)).report.failed == ("issuer",)

    def test_an_accepted_one_is_no_replay_of_itself(self, house: House) -> None:
        sign_in = house.post(house.idp.response())
        assert again(house, sign_in, entity_id=ENTITY_ID).report.accepts

    def test_a_used_assertion_that_nobody_asked_about_then(self, house: House) -> None:
        """Its signature did not hold then, so nobody asked; judged by the right key, the record is asked now."""
        xml = house.idp.response()
        house.configure(certificates=(house.idp.with_key("another").certificate,))
        refused = house.post(xml)
        house.configure()
        assert house.post(xml).accepted
        report = again(house, refused, settings_id=version_in_force(house)).report
        assert report.failed == ("replay",)

    def test_nothing_is_left_behind(self, house: House) -> None:
        sign_in = house.post(house.idp.response(audience="urn:other"))
        before = rows(house), attempt(house, sign_in)
        assert again(house, sign_in, entity_id="urn:other").report.accepts
        assert (rows(house), attempt(house, sign_in)) == before
        assert house.post(house.idp.response(name_id=BRITTA.email)).accepted

    def test_a_judged_assertion_was_not_claimed(self, house: House) -> None:
        xml = house.idp.response()
        house.configure(certificates=(house.idp.with_key("another").certificate,))
        refused = house.post(xml)
        house.configure()
        assert again(house, refused, settings_id=version_in_force(house)).report.accepts
        assert house.post(xml).accepted

    def test_a_message_that_was_never_decoded_stays_refused(self, house: House) -> None:
        sign_in = house.post(b"", form=form(("SAMLResponse", "garbage!")))
        assert again(house, sign_in, settings_id=version_in_force(house)).report.failed == ("base64",)

    def test_a_message_without_the_assertion(self, house: House) -> None:
        sign_in = house.post(house.idp.response(mutate=without("saml:Assertion"), signed=None))
        assert again(house, sign_in, entity_id="urn:other").report.failed == ("one_assertion",)

    def test_a_message_with_another_version(self, house: House) -> None:
        sign_in = house.post(house.idp.response(mutate=with_attribute(".", "Version", "1.1"), signed="both"))
        assert again(house, sign_in).report.failed == sign_in.judgement.report.failed


def _switch_off(house: House) -> None:
    with house.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        account.active = False
        session.add(account)
