"""The certificates page: which one is in use, which is next, which may go; and the warnings before one ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from browser import Browser, StillClock
from cast import NOW
from fastapi import FastAPI
from house import House
from responses import Idp
from web.conftest import signed_in

from sp.flows import account_setup, idp_certificates
from sp.flows.account_setup import Saved, SsoDraft
from sp.flows.idp_certificates import CertificateState, Standing, expiries, standings
from sp.models import CertificateUse
from sp.store import accounts
from sp.store.engine import Database
from sp.web.state import Service

PAGE = "/account-manager/business/accounts/single-sign-on/certificates"
IDP = Idp.make()
NEXT = IDP.with_key("next")
OLD, NEW = IDP.certificate, NEXT.certificate
FUTURE = replace(IDP.with_key("future"), not_before=NOW + timedelta(days=3)).certificate


def use(sha256: str, first: int, last: int) -> tuple[str, CertificateUse]:
    """Days before now."""
    days = [NOW - timedelta(days=ago) for ago in (first, last)]
    return sha256, CertificateUse(account_id=1, sha256=sha256, first_used_at=days[0], last_used_at=days[1])


def standing(draft: SsoDraft, *uses: tuple[str, CertificateUse]) -> list[Standing]:
    return list(standings(draft, dict(uses), NOW))


TWO = SsoDraft(certificates=(OLD, NEW))


def test_before_the_first_sign_in_everything_trusted_is_active() -> None:
    assert [one.state for one in standing(TWO)] == [CertificateState.ACTIVE] * 2
    assert not any(one.removable for one in standing(TWO))


def test_one_that_has_verified_nothing_while_another_has_is_upcoming() -> None:
    old, new = standing(TWO, use(OLD.sha256, 90, 0))
    assert (old.state, new.state) == (CertificateState.ACTIVE, CertificateState.UPCOMING)
    assert not new.removable


def test_one_whose_validity_has_not_begun_is_upcoming() -> None:
    (future,) = standing(SsoDraft(certificates=(FUTURE,)))
    assert future.state is CertificateState.UPCOMING
    assert "2030-02-03" in future.advice


@pytest.mark.parametrize(("quiet", "removable"), [(0, False), (6, False), (7, True), (30, True)])
def test_it_may_go_when_another_one_has_verified_for_a_week(quiet: int, removable: bool) -> None:
    old, new = standing(TWO, use(OLD.sha256, 90, quiet), use(NEW.sha256, 40, 0))
    assert (old.removable, new.removable) == (removable, False)
    assert ("Safe to remove" in old.advice) is removable


def test_days_without_any_sign_in_say_nothing() -> None:
    old, _ = standing(TWO, use(OLD.sha256, 90, 32), use(NEW.sha256, 40, 30))
    assert not old.removable
    assert "2 days" in old.advice


def test_a_retired_one_may_go() -> None:
    (retired,) = standing(SsoDraft(retired_certificates=(OLD,)))
    assert (retired.state, retired.removable) == (CertificateState.RETIRED, True)


@pytest.mark.parametrize(
    ("days", "within"), [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0, 7), (-5, 7)]
)
def test_warnings_come_60_30_and_7_days_before(days: int, within: int | None) -> None:
    ending = replace(IDP, not_after=NOW + timedelta(days=days, hours=1)).certificate
    assert [one.within for one in expiries((ending,), NOW)] == ([within] if within is not None else [])


def test_a_successor_is_known() -> None:
    ending = replace(IDP, not_after=NOW + timedelta(days=5)).certificate
    soon = replace(NEXT, not_after=NOW + timedelta(days=50)).certificate
    assert [one.has_successor for one in expiries((ending, NEW), NOW)] == [True]
    assert [one.has_successor for one in expiries((ending, soon), NOW)] == [False, False]


def test_adding_a_known_one_changes_nothing_and_a_retired_one_comes_back() -> None:
    assert idp_certificates.adding(TWO, OLD)["certificates"] == (OLD, NEW)
    retired = SsoDraft(certificates=(NEW,), retired_certificates=(OLD,))
    assert idp_certificates.adding(retired, OLD) == {"certificates": (NEW, OLD), "retired_certificates": ()}


# What a sign-in leaves.


def uses(house: House) -> list[tuple[str, int, int]]:
    """The hash, and when it was used first and last, in seconds since the beginning."""
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        found = idp_certificates.standings_of(session, account, house.now)
    times = [(one.certificate.sha256, one.first_used_at, one.last_used_at) for one in found]
    return [(sha256, (a - NOW).seconds, (b - NOW).seconds) for sha256, a, b in times if a and b]


def test_an_accepted_sign_in_is_a_use(database: Database, service: Service) -> None:
    house = House(service.settings, database)
    house.configure(certificates=(OLD, NEW))
    assert not house.post(IDP.with_key("mallory").response()).accepted
    assert not house.post(IDP.response(audience="https://other.example/")).accepted
    assert uses(house) == []
    assert house.post(NEXT.response()).accepted
    assert uses(house) == [(NEW.sha256, 0, 0)]


def test_a_use_is_written_down_once_a_minute(database: Database, service: Service) -> None:
    house = House(service.settings, database)
    house.configure()
    for seconds, last in ((0, 0), (30, 0), (29, 0), (1, 60)):
        house.later(seconds=seconds)
        assert house.post(IDP.response(now=house.now)).accepted
        assert uses(house) == [(OLD.sha256, 0, last)]


# The page.


def trusted(database: Database) -> tuple[SsoDraft, tuple[str, ...]]:
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        found = account_setup.draft_of(session, account)
    return found, tuple(one.sha256 for one in found.certificates)


@pytest.mark.usefixtures("connected")
def test_one_is_added_retired_brought_back_and_removed(alice: Browser, database: Database) -> None:
    alice.open(PAGE)
    alice.submit(PAGE, files={"certificate": ("next.cer", NEXT.certificate_pem)})
    assert "trusted from now on" in alice.text()
    assert trusted(database)[1] == (OLD.sha256, NEW.sha256)
    alice.open(f"{PAGE}/{OLD.sha256}/retire")
    alice.submit(f"{PAGE}/{OLD.sha256}/retire")
    assert trusted(database)[0].retired_certificates == (OLD,)
    alice.submit(f"{PAGE}/{OLD.sha256}/bring-back")
    assert trusted(database)[1] == (NEW.sha256, OLD.sha256)
    for sha256 in (OLD.sha256,):
        alice.open(f"{PAGE}/{sha256}/remove")
        alice.submit(f"{PAGE}/{sha256}/remove")
    assert trusted(database)[1] == (NEW.sha256,)


def test_a_retired_one_is_removed_for_good(alice: Browser, connected: Idp, database: Database) -> None:
    alice.open(PAGE)
    alice.submit(PAGE, files={"certificate": ("next.cer", NEXT.certificate_pem)})
    for deed in ("retire", "remove"):
        alice.open(f"{PAGE}/{connected.certificate.sha256}/{deed}")
        alice.submit(f"{PAGE}/{connected.certificate.sha256}/{deed}")
    assert trusted(database)[0].retired_certificates == ()
    assert alice.open(f"{PAGE}/{connected.certificate.sha256}/remove").status_code == 404


def test_the_only_one_stays(alice: Browser, connected: Idp, database: Database) -> None:
    for deed in ("retire", "remove"):
        alice.open(f"{PAGE}/{connected.certificate.sha256}/{deed}")
        assert alice.submit(f"{PAGE}/{connected.certificate.sha256}/{deed}").status_code == 422
        assert "SAML needs this certificate, the only one." in alice.error_at("certificate")
    assert trusted(database)[1] == (connected.certificate.sha256,)


@pytest.mark.parametrize(("text", "phrase"), [("", "Choose the certificate file"), ("garbage", "no certificate")])
def test_what_cannot_be_added_is_said_at_the_field(alice: Browser, text: str, phrase: str) -> None:
    alice.open(PAGE)
    assert alice.submit(PAGE, certificate_text=text).status_code == 422
    assert phrase in alice.error_at("certificate")


@pytest.mark.usefixtures("connected")
def test_it_says_what_each_one_did_and_leads_to_the_log(alice: Browser, database: Database, service: Service) -> None:
    house = House(service.settings, database)
    assert house.post(IDP.response()).accepted
    page = alice.open(PAGE)
    assert "It verified the last sign-in." in alice.text()
    (link,) = (href for href in alice.html.xpath("//main//a/@href") if "outcome=accepted" in href)
    alice.open(link)
    assert "britta@contoso.example" in alice.text()
    assert page.status_code == 200


def test_another_companys_certificates_do_not_exist(charlie: Browser, connected: Idp) -> None:
    charlie.open("/account-manager/fabrikam/accounts/single-sign-on/certificates")
    token = charlie.token
    assert charlie.open(PAGE).status_code == 404
    for path in ("", f"/{connected.certificate.sha256}/retire", f"/{connected.certificate.sha256}/bring-back"):
        assert charlie.post(f"{PAGE}{path}", data={"csrf_token": token}).status_code == 404


# Warnings.


@pytest.fixture
def ending(service: Service, clock: StillClock) -> Service:
    """Contoso's certificate ends in six days."""
    idp = replace(IDP, not_after=clock.now + timedelta(days=6, hours=1))
    draft = SsoDraft(single_sign_on=True, issuer=idp.entity_id, certificates=(idp.certificate,))
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        saved = account_setup.save_sso_settings(
            session, service.settings, account, draft, saved_by="test", now=service.now()
        )
    assert isinstance(saved, Saved)
    return service


@pytest.mark.usefixtures("ending")
def test_the_panel_and_the_pages_warn(app: FastAPI) -> None:
    alice = signed_in(app, "alice@contoso.example")
    assert "Certificate expires in 6 days" in alice.text()
    for page in (PAGE.removesuffix("/certificates"), PAGE):
        alice.open(page)
        assert "expires in 6 days. Ask for its successor" in alice.text()


@pytest.mark.usefixtures("ending")
def test_others_are_not_told(app: FastAPI) -> None:
    for who in ("charlie@fabrikam.example", "britta@contoso.example"):
        assert "expires in" not in signed_in(app, who).text()
