"""From a posted response to a session, a user and an attempt; or to a refusal that leaves an attempt only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cast import BRITTA, CONTOSO_ISSUER, FABRIKAM_ISSUER, MALLORY
from house import House
from responses import CLAIMS, Idp, with_attribute, with_text
from sqlalchemy import func, select

from sp.diagnosis.sides import sides
from sp.flows.assertion_consumer import SignIn, UnreadForm
from sp.flows.passwords import hash_password
from sp.models import ConsumedAssertion, SignInAttempt, SignInOutcome, User, UserSession, UserSource, UserStatus
from sp.saml.problems import SizeProblem
from sp.saml.report import Fault
from sp.saml.values import Count, Unit
from sp.store import accounts, administrators, sessions, sign_in_attempts, users


def rows(house: House, table: Any) -> int:
    with house.database.reading() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def user_named(house: House, username: str) -> User | None:
    with house.database.reading() as session:
        realm = accounts.shared_realm(session)
        return users.user_named(session, realm.id or 0, username)


def britta(house: House) -> User:
    found = user_named(house, BRITTA.email)
    assert found is not None
    return found


def attempt(house: House, sign_in: SignIn) -> SignInAttempt:
    with house.database.reading() as session:
        found = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
    assert found is not None
    return found


def change_user(house: House, username: str, **values: Any) -> None:
    with house.database.writing() as session:
        found = users.user_named(session, accounts.shared_realm(session).id or 0, username)
        assert found is not None
        for name, value in values.items():
            setattr(found, name, value)
        session.add(found)


class TestAccepted:
    def test_britta_is_created_at_her_first_sign_in(self, house: House) -> None:
        sign_in = house.post(house.idp.response())
        assert sign_in.accepted
        assert sign_in.provisioned
        user = britta(house)
        assert (user.first_name, user.last_name, user.email) == (BRITTA.first_name, BRITTA.last_name, BRITTA.email)
        assert (user.username, user.source, user.status) == (
            BRITTA.email,
            UserSource.JUST_IN_TIME,
            UserStatus.ACTIVE,
        )
        assert (user.created_at, user.last_sign_in_at) == (house.now, house.now)

    def test_her_second_sign_in_makes_no_second_user_and_updates_her(self, house: House) -> None:
        house.post(house.idp.response())
        house.later(hours=1)
        married = {CLAIMS.last_name: ("Simon-Smith",)}
        sign_in = house.post(house.idp.response(now=house.now, attributes=married))
        assert sign_in.accepted
        assert not sign_in.provisioned
        assert rows(house, User) == 1
        user = britta(house)
        assert (user.first_name, user.last_name) == ("Britta", "Simon-Smith")
        assert user.last_sign_in_at == house.now

    def test_the_session_stands_under_the_token_and_nothing_else(self, house: House) -> None:
        house.post(house.idp.response(), token="the-cookie")
        found = sessions.find(house.database, "the-cookie", house.now, timedelta(hours=1))
        assert found is not None
        assert isinstance(found[0], User)
        assert found[0].username == BRITTA.email
        assert sessions.find(house.database, "another", house.now, timedelta(hours=1)) is None
        with house.database.reading() as session:
            kept = session.execute(select(UserSession)).scalar_one()
        assert "the-cookie" not in str(kept.model_dump())

    def test_a_new_session_ends_the_one_that_the_browser_had(self, house: House) -> None:
        house.post(house.idp.response(), token="first")
        house.post(house.idp.response(), token="second", old_token="first")
        assert sessions.find(house.database, "first", house.now, timedelta(hours=1)) is None
        assert sessions.find(house.database, "second", house.now, timedelta(hours=1)) is not None

    def test_the_session_ends_when_the_identity_provider_says_so(self, house: House) -> None:
        ends = house.now + timedelta(minutes=20)
        stated = with_attribute(
            ".//saml:AuthnStatement", "SessionNotOnOrAfter", ends.isoformat().replace("+00:00", "Z")
        )
        house.post(house.idp.response(mutate=stated), token="short")
        idle, over = timedelta(hours=24), ends
        assert sessions.find(house.database, "short", over - timedelta(seconds=1), idle) is not None
        assert sessions.find(house.database, "short", over, idle) is None

    def test_a_session_whose_end_the_skew_forgives_is_open(self, house: House) -> None:
        """By a clock that is two minutes behind the identity provider's it has not ended."""
        ended = house.now - timedelta(minutes=2)
        stated = with_attribute(
            ".//saml:AuthnStatement", "SessionNotOnOrAfter", ended.isoformat().replace("+00:00", "Z")
        )
        assert house.post(house.idp.response(mutate=stated), token="short").accepted
        assert sessions.find(house.database, "short", house.now, timedelta(hours=24)) is not None

    def test_the_attempt_keeps_the_bytes_as_received_and_what_they_were_held_against(self, house: House) -> None:
        xml = house.idp.response()
        kept = attempt(house, house.post(xml))
        assert kept.outcome == SignInOutcome.ACCEPTED
        assert sign_in_attempts.decompress(kept.message) == xml
        assert (kept.username, kept.issuer, kept.provisioned) == (BRITTA.email, CONTOSO_ISSUER, True)
        assert kept.settings_id is not None
        assert kept.expectations["acs_url"] == house.settings.acs_url
        assert kept.expectations["holder"] == {"replayed": False, "link": "create", "status": None}

    def test_upper_and_lower_case_are_the_same_user_kept_as_first_written(self, house: House) -> None:
        house.post(house.idp.response(name_id="Britta@Contoso.example"))
        sign_in = house.post(house.idp.response(name_id="bRITTA@contoso.EXAMPLE"))
        assert sign_in.accepted
        assert sign_in.username == "Britta@Contoso.example"
        assert rows(house, User) == 1

    def test_an_attribute_that_was_not_sent_erases_nothing(self, house: House) -> None:
        house.post(house.idp.response())
        house.post(house.idp.response(attributes={}))
        assert britta(house).last_name == BRITTA.last_name


class TestRefused:
    def test_a_changed_name_id_leaves_an_attempt_and_nothing_else(self, house: House) -> None:
        evil = with_text(".//saml:NameID", MALLORY.email)
        sign_in = house.post(house.idp.response(sealed=evil), token="evil")
        assert sign_in.judgement.report.failed == ("signature",)
        assert attempt(house, sign_in).outcome == SignInOutcome.REFUSED
        assert (rows(house, User), rows(house, UserSession), rows(house, ConsumedAssertion)) == (0, 0, 0)
        assert sign_in.username == ""

    def test_the_same_response_twice(self, house: House) -> None:
        xml = house.idp.response()
        assert house.post(xml).accepted
        again = house.post(xml)
        assert again.judgement.report.failed == ("replay",)
        assert rows(house, UserSession) == 1

    def test_the_same_assertion_in_another_response(self, house: House) -> None:
        assert house.post(house.idp.response(assertion_id="_one", response_id="_a")).accepted
        again = house.post(house.idp.response(assertion_id="_one", response_id="_b"))
        assert again.judgement.report.failed == ("replay",)

    def test_a_replay_is_still_refused_after_a_restart(self, house: House, make_house: Callable[..., House]) -> None:
        xml = house.idp.response()
        house.post(xml)
        house.database.close()
        restarted = make_house()
        assert restarted.post(xml).judgement.report.failed == ("replay",)
        assert britta(restarted).first_name == BRITTA.first_name

    def test_a_refused_response_does_not_use_its_assertion_up(self, house: House) -> None:
        house.configure(provisioning=True, signed_part="response")
        xml = house.idp.response()
        assert not house.post(xml).accepted
        house.configure()
        assert house.post(xml).accepted

    def test_nobody_is_created_while_provisioning_is_off(self, house: House) -> None:
        house.configure(provisioning=False)
        sign_in = house.post(house.idp.response())
        assert sign_in.judgement.report.failed == ("user_link",)
        assert rows(house, User) == 0

    def test_a_known_user_signs_in_while_provisioning_is_off_and_stays_as_she_is(self, house: House) -> None:
        house.post(house.idp.response())
        house.configure(provisioning=False)
        sign_in = house.post(house.idp.response(attributes={CLAIMS.last_name: ("Other",)}))
        assert sign_in.accepted
        assert britta(house).last_name == BRITTA.last_name

    @pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.DELETED])
    def test_a_disabled_or_deleted_user_is_not_brought_back(self, house: House, status: UserStatus) -> None:
        house.post(house.idp.response())
        change_user(house, BRITTA.email, status=status)
        sign_in = house.post(house.idp.response(), token="again")
        assert sign_in.judgement.report.failed == ("user_active",)
        assert britta(house).status == status
        assert sessions.find(house.database, "again", house.now, timedelta(hours=1)) is None

    def test_an_unknown_issuer_belongs_to_no_account(self, house: House) -> None:
        sign_in = house.post(Idp.make(FABRIKAM_ISSUER).response())
        assert sign_in.judgement.report.failed == ("issuer",)
        assert attempt(house, sign_in).account_id is None

    def test_an_issuer_that_lacks_its_slash_is_told_beside_the_one_that_is_trusted(self, house: House) -> None:
        with house.database.writing() as session:
            company = accounts.company_named(session, "Contoso")
            assert company is not None
            accounts.add_account(session, company, "Second", "second", house.now)
        other = Idp.make(FABRIKAM_ISSUER)
        house.configure("second", issuer=other.entity_id, certificates=(other.certificate,))
        row = house.post(Idp(CONTOSO_ISSUER.rstrip("/"), house.idp.key_name).response()).judgement.report.row("issuer")
        assert (sides(row).expected, sides(row).received) == (CONTOSO_ISSUER, CONTOSO_ISSUER.rstrip("/"))

    def test_with_one_issuer_configured_no_other_can_have_been_meant(self, house: House) -> None:
        row = house.post(Idp.make(FABRIKAM_ISSUER).response()).judgement.report.row("issuer")
        assert sides(row).expected == CONTOSO_ISSUER

    def test_saml_switched_off_refuses_at_once(self, house: House) -> None:
        house.configure(single_sign_on=False)
        assert house.post(house.idp.response()).judgement.report.failed == ("sso_enabled",)

    def test_a_certificate_that_was_removed_verifies_nothing_any_more(self, house: House) -> None:
        new = house.idp.with_key("new key")
        house.configure(certificates=(new.certificate,))
        assert house.post(house.idp.response()).judgement.report.failed == ("signing_key",)
        assert house.post(new.response()).accepted

    def test_all_faults_of_one_attempt_are_seen_at_once(self, house: House) -> None:
        xml = house.idp.response(audience="urn:another", recipient="https://other.example/saml2")
        assert house.post(xml).judgement.report.failed == ("recipient", "audience")

    def test_a_failed_sign_in_still_tells_that_the_assertion_was_used_before(self, house: House) -> None:
        xml = house.idp.response(lifetime=timedelta(minutes=5))
        house.post(xml)
        house.later(minutes=9)
        failed = house.post(xml).judgement.report.failed
        assert failed == ("confirmation_expiry", "not_on_or_after", "replay")

    def test_a_form_that_was_not_read_leaves_an_attempt_with_the_reason(self, house: House) -> None:
        sign_in = house.post(b"", form=UnreadForm("size", Fault(SizeProblem.FORM, Count(10, Unit.KIB))))
        assert sign_in.judgement.report.failed == ("size",)
        kept = attempt(house, sign_in)
        assert kept.message is None
        assert kept.expectations["transport"][0]["code"] == "size"

    def test_a_failure_response_is_told_to_the_account_it_came_for(self, house: House) -> None:
        failure = with_attribute(".//samlp:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
        sign_in = house.post(house.idp.response(mutate=failure, signed=None))
        assert sign_in.judgement.report.failed == ("status",)
        assert attempt(house, sign_in).account_id is not None


class TestOtherAccounts:
    @pytest.fixture
    def fabrikam(self, house: House) -> Idp:
        idp = Idp.make(FABRIKAM_ISSUER)
        house.add_account("Fabrikam", "fabrikam")
        house.configure("fabrikam", issuer=idp.entity_id, certificates=(idp.certificate,))
        return idp

    def test_another_companys_identity_provider_cannot_sign_britta_in(self, house: House, fabrikam: Idp) -> None:
        house.post(house.idp.response())
        sign_in = house.post(fabrikam.response(name_id=BRITTA.email), token="evil")
        assert sign_in.judgement.report.failed == ("user_link",)
        assert sessions.find(house.database, "evil", house.now, timedelta(hours=1)) is None

    def test_another_companys_identity_provider_cannot_speak_for_contosos(self, house: House, fabrikam: Idp) -> None:
        posing = Idp(CONTOSO_ISSUER, fabrikam.key_name)
        assert house.post(posing.response()).judgement.report.failed == ("signing_key",)

    def test_the_same_assertion_id_of_two_issuers_is_two_assertions(self, house: House, fabrikam: Idp) -> None:
        assert house.post(house.idp.response(assertion_id="_same")).accepted
        assert house.post(fabrikam.response(assertion_id="_same", name_id="charlie@fabrikam.example")).accepted

    def test_an_administrators_name_is_no_users_name(self, house: House) -> None:
        with house.database.writing() as session:
            company = accounts.company_named(session, "Contoso")
            assert company is not None
            administrators.add_administrator(session, company, BRITTA.email, hash_password("x"), house.now)
        assert house.post(house.idp.response(), token="britta").accepted
        found = sessions.find(house.database, "britta", house.now, timedelta(hours=1))
        assert found is not None
        assert isinstance(found[0], User)


class TestFederationId:
    def test_a_new_user_gets_the_value_as_federation_id_and_as_user_name(self, house: House) -> None:
        house.configure(user_mapping="federation-id")
        assert house.post(house.idp.response(name_id="E1234")).provisioned
        user = user_named(house, "E1234")
        assert user is not None
        assert (user.username, user.federation_id) == ("E1234", "E1234")

    def test_it_finds_the_profile_whose_user_name_differs(self, house: House) -> None:
        house.post(house.idp.response())
        change_user(house, BRITTA.email, federation_id="E1234")
        house.configure(user_mapping="federation-id")
        sign_in = house.post(house.idp.response(name_id="E1234"))
        assert sign_in.accepted
        assert sign_in.username == BRITTA.email

    def test_the_same_federation_id_on_two_profiles_is_told_in_the_products_words(self, house: House) -> None:
        for name in ("one@contoso.example", "two@contoso.example"):
            house.post(house.idp.response(name_id=name))
            change_user(house, name, federation_id="E1234")
        house.configure(user_mapping="federation-id")
        report = house.post(house.idp.response(name_id="E1234")).judgement.report
        assert report.failed == ("user_link",)
        assert sides(report.row("user_link")).received == (
            "No unique user found for the SAML authenticated user E1234."
        )

    def test_it_never_takes_over_a_profile_by_its_user_name(self, house: House) -> None:
        house.post(house.idp.response())
        house.configure(user_mapping="federation-id")
        sign_in = house.post(house.idp.response(name_id=BRITTA.email))
        assert sign_in.judgement.report.failed == ("user_link",)
        assert britta(house).federation_id == ""
