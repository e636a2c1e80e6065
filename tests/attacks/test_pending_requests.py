"""What an answer is bound to: the browser, the account, the identity provider and the address; once, and in time."""

from __future__ import annotations

import pytest
from attack import attack
from begun import BROWSER, SIGN_IN_URL, answer, begin, count, failed, row, wish
from cast import CHARLIE, MALLORY
from flows.conftest import house, make_house, seeded_file  # noqa: F401
from house import House
from responses import Idp, with_attribute
from sqlalchemy import update

from sp.diagnosis.sides import sides
from sp.flows import sign_in_started_here
from sp.flows.request_sending import PER_BROWSER
from sp.flows.sign_in_started_here import Obstacle, start
from sp.models import AuthnRequest, User
from sp.saml.names import STATUS_URI


@pytest.fixture
def here(house: House) -> House:  # noqa: F811
    house.configure(sign_in_url=SIGN_IN_URL)
    return house


class TestAnswering:
    @attack("RSP-13 here", "an unsolicited response while sign-ins must begin here, with a request pending")
    def test_the_account_may_insist_on_beginning_here(self, here: House) -> None:
        here.configure(sign_in_url=SIGN_IN_URL, unsolicited=False)
        sent = begin(here)
        assert failed(here.post(here.idp.response(), request_token=BROWSER)) == ("in_response_to",)
        assert answer(here, sent).accepted

    @attack("RSP-15 here", "an answer in a browser that did not begin, and in one without a cookie", count=2)
    def test_mallory_cannot_sign_brittas_browser_in(self, here: House) -> None:
        """Mallory begins, signs in as herself, and has Britta's browser post the answer."""
        sent = begin(here, browser_token="mallorys")
        assert failed(answer(here, sent, name_id=MALLORY.email)) == ("in_response_to",)
        assert failed(answer(here, sent, token="", name_id=MALLORY.email)) == ("in_response_to",)
        assert count(here, User) == 0

    @attack("WEB-10", "a response stolen on its way, used in the thief's browser")
    def test_a_stolen_answer_is_worth_nothing_elsewhere(self, here: House) -> None:
        sent = begin(here)
        begin(here, browser_token="mallorys")
        assert failed(answer(here, sent, token="mallorys")) == ("in_response_to",)

    @attack("RSP-16 here", "a second assertion for a request that was answered")
    def test_a_request_is_answered_once(self, here: House) -> None:
        sent = begin(here)
        assert answer(here, sent).accepted
        second = answer(here, sent)
        assert failed(second) == ("in_response_to",)
        assert "answered before" in sides(second.judgement.report.row("in_response_to")).received

    @attack("RSP-17 here", "an answer that comes after 13 minutes and a second")
    def test_a_request_is_gone_after_ten_minutes_and_the_skew(self, here: House) -> None:
        sent, late = begin(here), begin(here)
        here.later(minutes=13, seconds=-1)
        assert answer(here, sent).accepted
        here.later(seconds=1)
        assert failed(answer(here, late)) == ("in_response_to",)

    @attack("RPL-07", "a refused response must not use Britta's request up", count=3)
    def test_a_refusal_leaves_the_request_alone(self, here: House) -> None:
        sent = begin(here)
        stranger = here.idp.with_key("mallory")
        assert failed(answer(here, sent, idp=stranger)) == ("signing_key",)
        assert failed(answer(here, sent, audience="https://other.example")) == ("audience",)
        denied = with_attribute("samlp:Status/samlp:StatusCode", "Value", f"{STATUS_URI}Requester")
        assert failed(answer(here, sent, mutate=denied)) == ("status",)
        assert row(here, sent).used_at is None
        assert answer(here, sent).accepted

    @attack("ISS-16", "Contoso changed its identity provider after the request went out")
    def test_the_identity_provider_that_was_asked_must_answer(self, here: House) -> None:
        sent = begin(here)
        other = Idp.make("https://new.contoso.example/")
        here.configure(sign_in_url=SIGN_IN_URL, issuer=other.entity_id, certificates=(other.certificate,))
        assert failed(answer(here, sent, idp=other)) == ("in_response_to",)

    @attack("ISS-14 here", "the issuer moved to another account while the request was out")
    def test_the_account_that_asked_must_be_the_one_that_is_answered(self, here: House) -> None:
        sent = begin(here)
        here.configure(single_sign_on=False, issuer="", certificates=())
        here.add_account("Fabrikam", "fabrikam")
        here.configure("fabrikam", sign_in_url="https://f.example/")
        late = answer(here, sent, name_id=CHARLIE.email)
        assert failed(late) == ("in_response_to",)
        assert sides(late.judgement.report.row("in_response_to")).received == "one for fabrikam"

    @attack("RSP-20 acs", "the answer comes to another address than the request named")
    def test_the_address_of_the_answer_is_bound(self, here: House) -> None:
        sent = begin(here)
        with here.database.writing() as session:
            session.execute(update(AuthnRequest).values(acs_url="https://other.example/saml2"))
        assert failed(answer(here, sent)) == ("in_response_to",)

    @attack("AUT-06 here", "an old sign-in, where a fresh one was asked for")
    def test_a_fresh_sign_in_was_asked_for(self, here: House) -> None:
        here.configure(sign_in_url=SIGN_IN_URL, force_authn=True)
        sent = begin(here)
        old = with_attribute(".//saml:AuthnStatement", "AuthnInstant", "2030-01-31T08:00:00Z")
        assert failed(answer(here, sent, mutate=old)) == ("authn_context",)
        assert answer(here, sent).accepted


class TestBounds:
    @attack("RPL-09", "one browser begins without end")
    def test_a_browser_keeps_its_newest_twenty(self, here: House) -> None:
        sent = []
        for _ in range(PER_BROWSER + 5):
            here.later(seconds=1)
            sent.append(begin(here))
        begin(here, browser_token="another")
        assert count(here, AuthnRequest) == PER_BROWSER + 1
        assert failed(answer(here, sent[4])) == ("in_response_to",)
        assert answer(here, sent[5]).accepted

    @attack("RPL-09 address", "one address begins without end, and others still can")
    def test_one_address_starts_so_many_in_a_minute(self, here: House) -> None:
        here.settings = here.settings.model_copy(update={"starts_per_minute": 3})
        for number in range(3):
            begin(here, browser_token=f"browser {number}", address="192.0.2.1")
        once_more = wish(browser_token="one more", address="192.0.2.1")
        assert start(here.database, here.settings, here.now, once_more) is Obstacle.TOO_MANY
        begin(here, browser_token="somebody else", address="192.0.2.2")
        here.later(minutes=1)
        begin(here, browser_token="one more", address="192.0.2.1")
        assert count(here, AuthnRequest) == 5

    @attack("RPL-09 network", "one IPv6 subscriber begins from many addresses")
    def test_addresses_of_one_ipv6_network_are_one_sender(self, here: House) -> None:
        here.settings = here.settings.model_copy(update={"starts_per_minute": 1})
        begin(here, browser_token="first", address="2001:db8::1")
        second = wish(browser_token="second", address="2001:db8::2")
        assert start(here.database, here.settings, here.now, second) is Obstacle.TOO_MANY
        begin(here, browser_token="third", address="2001:db8:0:1::1")

    @attack("RPL-09 account", "several addresses use up what the account has together")
    def test_an_account_sends_so_many_in_a_minute_and_an_address_that_sent_few_goes_on(
        self, here: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sign_in_started_here, "PER_ACCOUNT_AND_MINUTE", 6)
        for number in range(6):
            begin(here, browser_token=f"browser {number}", address="192.0.2.1")
        once_more = wish(browser_token="one more", address="192.0.2.1")
        assert start(here.database, here.settings, here.now, once_more) is Obstacle.TOO_MANY
        for number in range(6):
            begin(here, browser_token=f"other {number}", address=f"192.0.2.{number + 2}")
        late = wish(browser_token="late", address="192.0.2.99")
        assert start(here.database, here.settings, here.now, late) is Obstacle.TOO_MANY  # twice the limit is the end
        assert count(here, AuthnRequest) == 12
