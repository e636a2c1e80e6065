"""Who a verified name is: collisions, other companies, deleted users, replays (JIT, ISS, RPL, SUB, ATT).

Every message here is genuine and signed; what is hostile is the name, the sender or the second delivery.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attack import attack
from attacks.traces import Traces, accepted, configure, refused, send
from browser import Browser, StillClock
from cast import ALICE, BRITTA, FABRIKAM_ISSUER, MALLORY, MALLORY_ISSUER
from fastapi import FastAPI
from responses import CLAIMS, Idp, post_field, with_attribute, with_child
from sqlalchemy import func, select

from sp.flows.account_setup import Invalid, Saved
from sp.models import ConsumedAssertion, User, UserStatus
from sp.store import accounts, consumed_assertions, users
from sp.store.engine import Database
from sp.web.state import Service


@pytest.fixture
def fabrikam(service: Service) -> Idp:
    """Fabrikam's account trusts a provider of its own, which Mallory has taken over."""
    idp = Idp.make(FABRIKAM_ISSUER)
    assert isinstance(configure(service, "fabrikam", idp), Saved)
    return idp


def everybody(database: Database) -> dict[str, tuple[int, str, str]]:
    with database.reading() as session:
        found = session.execute(select(User)).scalars()
        return {user.username: (user.account_id, user.email, user.status) for user in found}


def change_britta(database: Database, **values: str) -> None:
    with database.writing() as session:
        britta = users.user_named(session, accounts.shared_realm(session).id or 0, BRITTA.email)
        assert britta is not None
        for name, value in values.items():
            setattr(britta, name, value)
        session.add(britta)


class TestNames:
    @attack("JIT-01", "the user name in other letters", count=0)
    @pytest.mark.parametrize("name", ["BRITTA@CONTOSO.EXAMPLE", "Britta@contoso.Example"])
    def test_upper_and_lower_case_are_one_user(
        self, name: str, browser: Browser, traces: Traces, connected: Idp
    ) -> None:
        before = everybody(traces.database)
        accepted(send(browser, connected.response(name_id=name)))
        assert everybody(traces.database) == before

    @attack("JIT-05", "names that a database could take for Britta's", count=4)
    def test_what_the_code_tells_apart_the_database_tells_apart(
        self, browser: Browser, connected: Idp, traces: Traces
    ) -> None:
        """ß and ss fold together and so are one user; dotless i, accents and width are not Britta's name."""
        for name in (
            "brıtta@contoso.example",
            "brítta@contoso.example",
            "britt\u0430@contoso.example",  # a Cyrillic letter
            "brittä@contoso.example",
        ):
            answer = send(browser, connected.response(name_id=name))
            assert answer.json()["provisioned"] is True, name
        assert len(everybody(traces.database)) == 5

    @attack("JIT-17", "more new people than a customer can have", count=3)
    def test_only_so_many_users_are_created_within_an_hour(
        self, make_app: Callable[..., FastAPI], idp: Idp, clock: StillClock
    ) -> None:
        app = make_app(new_users_per_hour=4)  # Britta is one of them
        service: Service = app.state.service
        assert isinstance(configure(service, "business", idp), Saved)
        browser = Browser(app)
        for number in range(3):
            accepted(send(browser, idp.response(name_id=f"new-{number}@contoso.example")))
        traces = Traces(service.database)
        for number in range(3):
            answer = send(browser, idp.response(name_id=f"flood-{number}@contoso.example"))
            refused(answer, "user_link")
            assert "as many users in this account as they may" in answer.json()["message"]
            assert "VIRTUAL_OFFICE_NEW_USERS_PER_HOUR" in answer.json()["remedy"]
        assert len(traces.attempts) == 3
        assert len(everybody(service.database)) == 4
        accepted(send(browser, idp.response(name_id=BRITTA.email)))  # whoever is there comes in as before
        clock.advance(minutes=61)
        accepted(send(browser, idp.response(now=clock.now, name_id="late@contoso.example")))

    @attack("JIT-08", "the user name of an administrator")
    def test_an_administrators_name_gives_no_administrators_rights(
        self, browser: Browser, connected: Idp, traces: Traces
    ) -> None:
        """It makes a user of that name, who is no administrator and sees no console."""
        answer = send(browser, connected.response(name_id=ALICE.email))
        assert answer.json()["provisioned"] is True
        assert browser.client.get("/account-manager").status_code == 403
        assert everybody(traces.database)[ALICE.email][2] == UserStatus.ACTIVE

    @attack("JIT-09", "Britta's e-mail address under Mallory's name")
    def test_an_address_is_no_name(self, browser: Browser, connected: Idp, traces: Traces) -> None:
        """Profiles are found by their user name; two may have one address, and neither gets the other's sessions."""
        stolen = {CLAIMS.email: (BRITTA.email,)}
        answer = send(browser, connected.response(name_id="mallory@contoso.example", attributes=stolen))
        assert answer.json()["username"] == "mallory@contoso.example"
        assert answer.json()["provisioned"] is True
        assert everybody(traces.database)[BRITTA.email] == (1, BRITTA.email, UserStatus.ACTIVE)

    @pytest.mark.parametrize(
        "name",
        [
            pytest.param(
                "'OR/**/1=1--@contoso.example", marks=attack("ATT-16", "a user name that is a condition in SQL")
            ),
            pytest.param(
                "x';DROP/**/TABLE/**/user_profile;--@contoso.example",
                marks=attack("ATT-16 table", "a user name that drops a table"),
            ),
            pytest.param("../../etc/passwd@contoso.example", marks=attack("ATT-17", "a user name that is a path")),
            pytest.param(
                "..\\..\\x@contoso.example", marks=attack("ATT-17 back", "a user name that is a path elsewhere")
            ),
        ],
    )
    def test_a_name_is_only_a_name(self, name: str, browser: Browser, connected: Idp, traces: Traces) -> None:
        answer = send(browser, connected.response(name_id=name, attributes={CLAIMS.last_name: (name,)}))
        assert answer.json()["username"] == name
        assert set(everybody(traces.database)) == {BRITTA.email, name}


class TestOtherCompanies:
    @attack("ISS-03", "another company's provider names Britta")
    @attack("JIT-06", "a user name that another account owns")
    def test_fabrikam_cannot_sign_britta_in(self, browser: Browser, traces: Traces, fabrikam: Idp) -> None:
        accepted(send(browser, fabrikam.response(name_id="charlie@fabrikam.example")))
        traces = Traces(traces.database)
        refused(send(browser, fabrikam.response()), "user_link")
        traces.of_one_refusal("user_link")

    @attack("CND-12", "Fabrikam's provider speaks as Contoso's")
    @attack("CRT-14", "a certificate that another account trusts too")
    def test_fabrikams_key_opens_nothing_at_contoso(self, browser: Browser, traces: Traces, fabrikam: Idp) -> None:
        """The audience is the same for all accounts, so the issuer's key is what keeps them apart."""
        speaking_as_contoso = Idp.make().with_key(fabrikam.key_name)
        refused(send(browser, speaking_as_contoso.response()), "signing_key")
        traces.of_one_refusal("signing_key")

    @attack("ISS-04", "Contoso's issuer registered by Mallory")
    @attack("MET-13", "an entity ID that another account has")
    def test_nobody_else_may_register_contosos_issuer(self, service: Service, connected: Idp) -> None:
        evil = connected.with_key("mallory")
        answer = configure(service, "fabrikam", evil)
        assert isinstance(answer, Invalid)
        assert "Ask the operator" in answer.errors["issuer"]

    @attack("ISS-15", "this service's own entity ID as issuer")
    def test_nobody_may_register_our_own_entity_id(self, service: Service) -> None:
        answer = configure(service, "fabrikam", Idp.make(service.settings.entity_id))
        assert isinstance(answer, Invalid)
        assert "own address" in answer.errors["issuer"]

    @attack("SIG-25", "an issuer that nobody trusts")
    def test_a_stranger_is_nobody(self, browser: Browser, traces: Traces) -> None:
        refused(send(browser, Idp.make(MALLORY_ISSUER).response()), "issuer")
        traces.of_one_refusal("issuer")


class TestProvisioning:
    @attack("JIT-14", "an unknown user while provisioning is off")
    def test_nobody_is_made(self, browser: Browser, service: Service, connected: Idp, traces: Traces) -> None:
        configure(service, "business", connected, provisioning=False)
        accepted(send(browser, connected.response()))
        traces = Traces(service.database)
        refused(send(browser, connected.response(name_id=MALLORY.email)), "user_link")
        traces.of_one_refusal("user_link")

    @attack("JIT-15", "a user who was disabled or deleted")
    @pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.DELETED])
    def test_nobody_comes_back(self, status: UserStatus, browser: Browser, connected: Idp, database: Database) -> None:
        accepted(send(browser, connected.response()))
        change_britta(database, status=status)
        traces = Traces(database)
        refused(send(browser, connected.response()), "user_active")
        traces.of_one_refusal("user_active")


class TestReplay:
    @attack("RPL-01", "the same response once more")
    def test_the_same_browser(self, browser: Browser, connected: Idp, database: Database) -> None:
        xml = connected.response()
        accepted(send(browser, xml))
        traces = Traces(database)
        refused(send(browser, xml), "replay")
        traces.of_one_refusal("replay")

    @attack("RPL-02", "the same response in Mallory's browser")
    def test_another_browser(self, app: FastAPI, browser: Browser, connected: Idp, database: Database) -> None:
        xml = connected.response()
        accepted(send(browser, xml))
        traces = Traces(database)
        refused(send(Browser(app, address="192.0.2.1"), xml), "replay")
        traces.of_one_refusal("replay")

    @attack("RPL-03", "the same assertion in another response")
    def test_another_response(self, browser: Browser, connected: Idp, database: Database) -> None:
        xml = connected.response(response_id="_first")
        accepted(send(browser, xml))
        traces = Traces(database)
        refused(send(browser, xml.replace(b'ID="_first"', b'ID="_second"')), "replay")
        traces.of_one_refusal("replay")

    @attack("CND-21", "a second use of what is for one use")
    def test_one_time_use(self, browser: Browser, connected: Idp, database: Database) -> None:
        """Every assertion is for one use here, whether it says so or not (Core 2.5.1.5)."""
        once = connected.response(mutate=with_child(".//saml:Conditions", "<saml:OneTimeUse/>"))
        accepted(send(browser, once))
        traces = Traces(database)
        refused(send(browser, once), "replay")
        traces.of_one_refusal("replay")

    @attack("RPL-06", "a flood of messages to fill the record of used ones", count=40)
    def test_only_what_was_verified_is_remembered(
        self, browser: Browser, connected: Idp, clock: StillClock, database: Database
    ) -> None:
        """Forty refusals leave nothing behind; what was accepted goes once no clock would take it any more."""
        for _ in range(40):
            refused(send(browser, connected.with_key("mallory").response()), "signing_key")
        accepted(send(browser, connected.response()))
        assert _remembered(database) == 1
        clock.advance(days=3)
        with database.writing() as session:
            consumed_assertions.remove_expired(session, clock.now, at_most=100)
        assert _remembered(database) == 0

    @attack("RPL-07", "a refused message does not use up the good one")
    def test_mallory_cannot_spend_brittas_assertion(self, browser: Browser, connected: Idp, traces: Traces) -> None:
        xml = connected.response()
        refused(send(browser, xml.replace(b"britta@", b"mallory")), "signature")
        traces.of_one_refusal("signature")
        accepted(send(browser, xml))

    @attack("RPL-08", "the back button")
    def test_the_back_button_gets_a_page_that_nothing_keeps(self, browser: Browser, connected: Idp) -> None:
        xml = connected.response()
        first = send(browser, xml)
        again = browser.client.post("/saml2", data={"SAMLResponse": post_field(xml)})
        assert first.headers["cache-control"] == again.headers["cache-control"] == "no-store"
        assert again.status_code == 403
        assert 'id="replay"' in again.text


class TestSessions:
    @attack("AUT-08", "a session that outlives the provider's")
    def test_the_session_ends_with_the_providers(self, browser: Browser, connected: Idp, clock: StillClock) -> None:
        ends = with_attribute(".//saml:AuthnStatement", "SessionNotOnOrAfter", "2030-01-31T12:10:00Z")
        accepted(send(browser, connected.response(mutate=ends)))
        assert browser.client.get("/my-profile").status_code == 200
        clock.advance(minutes=10)
        assert browser.client.get("/my-profile").status_code == 303

    @attack("WEB-23", "a clock that is ten minutes off")
    @pytest.mark.parametrize("minutes", [-10, 14])
    def test_a_wrong_clock_signs_nobody_in(
        self, minutes: int, browser: Browser, connected: Idp, clock: StillClock, database: Database
    ) -> None:
        accepted(send(browser, connected.response()))
        xml = connected.response()
        clock.advance(minutes=minutes)
        traces = Traces(database)
        assert "response_issue_instant" in send(browser, xml).json()["failed"]
        assert traces.attempts[0][2] == "refused"


def _remembered(database: Database) -> int:
    with database.reading() as session:
        return int(session.execute(select(func.count()).select_from(ConsumedAssertion)).scalar_one())
