"""A sign-in begun here: to the right identity provider, and back to the browser that began it, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from begun import SIGN_IN_URL, answer, begin, count, failed, request_of, row, wish
from cast import BRITTA, FABRIKAM_ISSUER
from house import House
from profiles import add_profile
from responses import Idp

from sp.flows import housekeeping, sign_in_started_here
from sp.flows.assertion_consumer import SignIn
from sp.flows.judging_again import judge_attempt
from sp.flows.request_sending import Outgoing, Sending, sending
from sp.flows.service_keys import published
from sp.flows.sign_in_started_here import Obstacle, find_account, find_company, start
from sp.models import AuthnRequest
from sp.saml.certificates import stored_certificate
from sp.saml.messages import Limits
from sp.saml.redirect_binding import Carried, RedirectMessage, read_query, verify_query
from sp.saml.report import Outcome
from sp.store import accounts, sign_in_attempts


@pytest.fixture
def here(house: House) -> House:
    house.configure(sign_in_url=SIGN_IN_URL)
    return house


class TestSending:
    def test_by_redirect_to_the_sign_in_url(self, here: House) -> None:
        sent = begin(here)
        assert sent.fields == ()
        assert sent.url.startswith(f"{SIGN_IN_URL}?SAMLRequest=")
        message = read_query(urlsplit(sent.url).query.encode(), Carried.REQUEST, Limits())
        assert isinstance(message, RedirectMessage)
        assert message.xml == sent.xml
        assert message.signature is None
        assert request_of(sent).get("Destination") == SIGN_IN_URL

    def test_by_post_as_a_form(self, here: House) -> None:
        here.configure(sign_in_url=SIGN_IN_URL, sign_in_binding="post")
        sent = begin(here)
        assert sent.url == SIGN_IN_URL
        assert [name for name, _ in sent.fields] == ["SAMLRequest", "RelayState"]

    def test_signed_with_our_own_key(self, here: House) -> None:
        here.configure(sign_in_url=SIGN_IN_URL, sign_requests=True)
        message = read_query(urlsplit(begin(here).url).query.encode(), Carried.REQUEST, Limits())
        assert isinstance(message, RedirectMessage)
        with here.database.reading() as session:
            (certificate,) = published(session).signing
        verdict = verify_query(message, (stored_certificate(certificate),))
        assert verdict.finding.outcome is Outcome.PASSED

    def test_the_typed_name_goes_along_only_where_the_account_says_so(self, here: House) -> None:
        assert "login_hint" not in begin(here, name=BRITTA.email).url
        here.configure(sign_in_url=f"{SIGN_IN_URL}?a=1", send_login_hint=True)
        query = parse_qs(urlsplit(begin(here, name="britta&x=1@contoso.example").url).query)
        assert query["login_hint"] == ["britta&x=1@contoso.example"]
        assert query["a"] == ["1"]
        assert "x" not in query

    def test_the_options_of_the_account_are_in_the_message(self, here: House) -> None:
        here.configure(
            sign_in_url=SIGN_IN_URL, force_authn=True, provider_name="Contoso", requested_contexts=("urn:x",)
        )
        root = request_of(begin(here))
        assert (root.get("ForceAuthn"), root.get("ProviderName")) == ("true", "Contoso")

    @pytest.mark.parametrize(
        "changes",
        [{"sign_in_url": ""}, {"single_sign_on": False}, {"issuer": "", "certificates": (), "single_sign_on": False}],
    )
    def test_an_account_that_cannot_begin_here_says_so(self, here: House, changes: dict[str, Any]) -> None:
        here.configure(**{"sign_in_url": SIGN_IN_URL} | changes)
        assert start(here.database, here.settings, here.now, wish()) is Obstacle.UNAVAILABLE
        assert count(here, AuthnRequest) == 0

    def test_an_unknown_account_is_no_other_obstacle(self, here: House) -> None:
        assert start(here.database, here.settings, here.now, wish(slug="nobody")) is Obstacle.UNAVAILABLE

    def test_a_flood_is_turned_away_before_anything_is_signed_or_locked(
        self, here: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here.configure(sign_in_url=SIGN_IN_URL, sign_requests=True)
        here.settings = here.settings.model_copy(update={"starts_per_minute": 2})
        for _ in range(2):
            begin(here)
        monkeypatch.setattr(sign_in_started_here, "sending", _nobody_signs)
        monkeypatch.setattr(here.database, "writing", _nobody_signs)
        assert start(here.database, here.settings, here.now, wish()) is Obstacle.TOO_MANY

    def test_of_two_at_once_the_one_too_many_is_not_kept(self, here: House, monkeypatch: pytest.MonkeyPatch) -> None:
        here.settings = here.settings.model_copy(update={"starts_per_minute": 1})

        def slower(message: Outgoing) -> Sending:
            monkeypatch.setattr(sign_in_started_here, "sending", sending)
            begin(here)
            return sending(message)

        monkeypatch.setattr(sign_in_started_here, "sending", slower)
        assert start(here.database, here.settings, here.now, wish()) is Obstacle.TOO_MANY
        assert count(here, AuthnRequest) == 1


def _nobody_signs(*_: Any) -> Any:
    raise AssertionError("work was done for a request that is not sent")


class TestWhichAccount:
    @pytest.fixture
    def two(self, here: House) -> House:
        fabrikam = here.add_account("Fabrikam", "fabrikam")
        idp = Idp.make(FABRIKAM_ISSUER)
        here.configure(
            "fabrikam", issuer=idp.entity_id, certificates=(idp.certificate,), sign_in_url="https://f.example/"
        )
        add_profile(here.database, fabrikam, username="charlie@fabrikam.example")
        with here.database.reading() as session:
            business = accounts.account_by_slug(session, "business")
        assert business is not None
        add_profile(here.database, business, username=BRITTA.email)
        return here

    def found(self, house: House, name: str) -> str | None:
        with house.database.reading() as session:
            return find_account(session, name)

    def test_the_only_account_takes_everybody(self, here: House) -> None:
        here.add_account("Fabrikam", "fabrikam")  # without Single Sign On
        assert {self.found(here, name) for name in (BRITTA.email, "nobody", "", "a@b")} == {"business"}

    def test_the_domain_tells_several_apart(self, two: House) -> None:
        assert self.found(two, "Charlie@FABRIKAM.example") == "fabrikam"
        assert self.found(two, BRITTA.email) == "business"

    def test_a_user_that_exists_takes_the_way_of_one_that_does_not(self, two: House) -> None:
        assert self.found(two, "nobody@contoso.example") == self.found(two, BRITTA.email)
        assert self.found(two, "%@contoso.example") == "business"
        assert self.found(two, "x@%") is None

    @pytest.mark.parametrize(
        "name", ["", "britta", "@", "a@", "x@nowhere.example", "a@\0", "x" * 300 + "@contoso.example"]
    )
    def test_other_names_lead_nowhere(self, two: House, name: str) -> None:
        assert self.found(two, name) is None

    def test_a_domain_without_an_owner_that_two_accounts_have_users_in_leads_nowhere(self, two: House) -> None:
        with two.database.reading() as session:
            fabrikam = accounts.account_by_slug(session, "fabrikam")
            contoso = accounts.account_by_slug(session, "business")
        assert fabrikam is not None
        assert contoso is not None
        add_profile(two.database, fabrikam, username="a@partner.example")
        assert self.found(two, "a@partner.example") == "fabrikam"
        add_profile(two.database, contoso, username="b@partner.example")
        assert self.found(two, "a@partner.example") is None

    @pytest.mark.parametrize(
        ("typed", "slug"), [(" Fabrikam ", "fabrikam"), ("BUSINESS", "business"), ("contoso", "business")]
    )
    def test_a_company_is_found_by_its_name_or_slug(self, two: House, typed: str, slug: str) -> None:
        with two.database.reading() as session:
            assert find_company(session, typed) == slug
            assert find_company(session, "nobody") is None
            assert find_company(session, "") is None


class TestAnswering:
    def test_the_answer_signs_in_and_uses_the_request_up(self, here: House) -> None:
        sent = begin(here, return_path="/my-profile")
        here.later(seconds=30)
        sign_in = answer(here, sent)
        assert sign_in.accepted
        assert sign_in.answered is not None
        assert sign_in.answered.return_path == "/my-profile"
        assert row(here, sent).used_at == here.now

    def test_a_sound_answer_for_nobody_uses_it_up(self, here: House) -> None:
        here.configure(sign_in_url=SIGN_IN_URL, provisioning=False)
        sent = begin(here)
        assert failed(answer(here, sent)) == ("user_link",)
        assert row(here, sent).used_at == here.now
        assert failed(answer(here, sent)) == ("in_response_to", "user_link")

    def test_the_contexts_of_then_count_not_those_of_now(self, here: House) -> None:
        here.configure(sign_in_url=SIGN_IN_URL, requested_contexts=("urn:mfa",))
        sent = begin(here)
        here.configure(sign_in_url=SIGN_IN_URL)
        assert failed(answer(here, sent)) == ("authn_context",)

    def test_two_tabs_do_not_disturb_each_other(self, here: House) -> None:
        first, second = begin(here, return_path="/one"), begin(here, return_path="/two")
        assert [_path(answer(here, sent)) for sent in (second, first)] == ["/two", "/one"]

    def test_what_it_was_held_against_is_kept_with_the_attempt(self, here: House) -> None:
        here.configure(sign_in_url=SIGN_IN_URL, force_authn=True)
        sent = begin(here)
        made = [answer(here, sent), answer(here, sent)]
        assert [failed(sign_in) for sign_in in made] == [(), ("in_response_to",)]
        for sign_in in made:
            with here.database.reading() as session:
                attempt = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
                assert attempt is not None
                assert judge_attempt(session, attempt).report == sign_in.judgement.report

    def test_what_nobody_answered_is_removed_and_what_was_answered_is_kept(self, here: House) -> None:
        used = begin(here)
        assert answer(here, used).accepted
        begin(here)
        here.later(minutes=69)
        housekeeping.tidy_up(here.database, here.settings, here.now)
        assert count(here, AuthnRequest) == 2
        here.later(minutes=2)
        housekeeping.tidy_up(here.database, here.settings, here.now)
        assert count(here, AuthnRequest) == 1
        assert row(here, used).used_at is not None
        here.later(days=here.settings.attempts_kept_days)
        housekeeping.tidy_up(here.database, here.settings, here.now)
        assert count(here, AuthnRequest) == 0


def _path(sign_in: SignIn) -> str:
    assert sign_in.answered is not None
    return sign_in.answered.return_path


def test_a_request_lives_as_long_as_the_settings_say(here: House) -> None:
    assert row(here, begin(here)).expires_at - here.now == timedelta(minutes=10)
