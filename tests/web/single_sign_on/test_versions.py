"""Every save is a version, and nobody's save is overwritten unseen."""

from __future__ import annotations

import pytest
from browser import Browser, StillClock
from cast import ALICE, BOB, CONTOSO_ISSUER
from responses import Idp

from sp.flows import account_setup
from sp.store import accounts
from sp.store.engine import Database

PAGE = "/account-manager/business/accounts/single-sign-on"
METHOD = f"{PAGE}/authentication-method"
SAVE = f"{PAGE}/saml"


def versions(browser: Browser) -> list[str]:
    """The lines of the list, newest first."""
    browser.open(PAGE)
    return [" ".join(line.text_content().split()) for line in browser.html.xpath("//ol[@class='versions']//summary")]


def changes(browser: Browser, number: int) -> list[str]:
    """What the version of that number changed, newest first in the list."""
    details = browser.html.xpath("//ol[@class='versions']//details")[-number]
    return [" ".join(" ".join(row.itertext()).split()) for row in details.xpath(".//dl[@class='changes']/div")]


def issuer_in_force(database: Database) -> str:
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return account_setup.draft_of(session, account).issuer


def test_the_first_version_is_the_accounts_own(alice: Browser) -> None:
    assert versions(alice) == ["Version 1 setup just now In force The account was made"]


@pytest.mark.usefixtures("connected")
def test_a_save_makes_a_version_that_says_who_when_and_what(alice: Browser, bob: Browser, clock: StillClock) -> None:
    clock.advance(minutes=5)
    bob.open(PAGE)
    bob.submit(SAVE, sign_in_url="https://idp.contoso.example/new", provisioning=None, user_mapping="federation-id")
    clock.advance(minutes=2)
    assert versions(alice)[0] == (
        f"Version 3 {BOB.email} 2 minutes ago In force Sign In URL, User Mapping Field, Just-in-time provisioning"
    )
    assert changes(alice, 3) == [
        "Sign In URL https://idp.contoso.example/sign-in became → https://idp.contoso.example/new",
        "User Mapping Field 8x8 Username became → Federation ID",
        "Just-in-time provisioning on became → off",
    ]
    assert "2030-01-31 12:05:00 UTC" in alice.text()
    assert [line.split()[:2] for line in versions(alice)] == [["Version", "3"], ["Version", "2"], ["Version", "1"]]


def test_a_certificate_appears_with_its_fingerprint(alice: Browser, connected: Idp) -> None:
    versions(alice)
    assert f"Identity Provider Certificate empty became → {connected.certificate.sha256}" in changes(alice, 2)


@pytest.mark.usefixtures("connected")
def test_a_save_without_a_change_makes_none(alice: Browser) -> None:
    alice.open(PAGE)
    alice.submit(SAVE)
    assert "Nothing was different, so no new version was made." in alice.text()
    assert len(versions(alice)) == 2


@pytest.mark.usefixtures("connected")
def test_alice_cannot_overwrite_what_bob_saved_meanwhile_unseen(
    alice: Browser, bob: Browser, database: Database
) -> None:
    alice.open(PAGE)
    bob.open(PAGE)
    bob.submit(SAVE, issuer="urn:bobs")
    page = alice.submit(SAVE, issuer="urn:alices")
    assert page.status_code == 409
    warning = " ".join(alice.html.xpath("string(//*[@role='alert'])").split())
    assert "Somebody saved meanwhile, so your changes were not saved" in warning
    assert f"Version 3, saved by {BOB.email}" in warning
    assert "urn:bobs" in warning
    assert issuer_in_force(database) == "urn:bobs"
    assert alice.value_of("issuer") == "urn:alices"


@pytest.mark.usefixtures("connected")
def test_alice_may_save_again_once_she_has_seen_it(alice: Browser, bob: Browser, database: Database) -> None:
    alice.open(PAGE)
    bob.open(PAGE)
    bob.submit(SAVE, issuer="urn:bobs")
    alice.submit(SAVE, issuer="urn:alices")
    alice.submit(SAVE)
    assert "The SAML settings have been saved." in alice.text()
    assert issuer_in_force(database) == "urn:alices"
    assert [line.split()[2] for line in versions(alice)][:2] == [ALICE.email, BOB.email]


def test_a_certificate_chosen_before_a_conflict_is_carried_along(alice: Browser, bob: Browser, connected: Idp) -> None:
    successor = connected.with_key("successor")
    alice.open(PAGE)
    bob.open(PAGE)
    bob.submit(SAVE, issuer="urn:bobs")
    alice.submit(SAVE, files={"certificate": ("new.cer", successor.certificate_pem)})
    assert alice.page.status_code == 409
    alice.submit(SAVE)
    assert successor.certificate.fingerprint in alice.text()
    assert connected.certificate.fingerprint not in alice.text()


@pytest.mark.usefixtures("connected")
def test_two_saves_of_different_fields_do_not_disturb_each_other(
    alice: Browser, bob: Browser, database: Database
) -> None:
    alice.open(PAGE)
    bob.open(PAGE)
    bob.submit(SAVE, issuer="urn:bobs")
    alice.submit(METHOD, password_sign_in=None)
    assert "The authentication method has been saved." in alice.text()
    assert issuer_in_force(database) == "urn:bobs"


@pytest.mark.parametrize("version", ["", "x", "-1", "\u0661", "9" * 30])
def test_a_form_that_does_not_say_its_version_overwrites_nothing(
    alice: Browser, connected: Idp, database: Database, version: str
) -> None:
    alice.open(PAGE)
    page = alice.submit(SAVE, issuer="urn:alices", version=version)
    assert page.status_code == 409
    assert issuer_in_force(database) == connected.entity_id == CONTOSO_ISSUER
