"""Our keys: who sees them, who may change them over, and that the page never skips a question."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from browser import PASSWORD, Browser, StillClock
from cast import ALICE, BASE_URL
from fastapi import FastAPI
from lxml import etree
from web.conftest import signed_in

from sp.app import create_app
from sp.flows import service_keys
from sp.flows.opening import open_database
from sp.models import KeyPurpose, KeyState
from sp.settings import Settings
from sp.store import accounts
from sp.store import service_keys as rows
from sp.web.state import Service

KEYS = "/account-manager/business/accounts/single-sign-on/keys"
BEGIN, COMPLETE = f"{KEYS}/signing/begin-rollover", f"{KEYS}/signing/complete-rollover"


@pytest.fixture
def lone_app(tmp_path: Path, clock: StillClock) -> Iterator[FastAPI]:
    """An installation with Contoso alone."""
    settings = Settings(base_url=BASE_URL, data_dir=tmp_path, admin_username=ALICE.email, admin_password=PASSWORD)
    made = create_app(settings, open_database(settings, clock), clock)
    yield made
    made.state.service.database.close()


@pytest.fixture
def lone_alice(lone_app: FastAPI) -> Browser:
    return signed_in(lone_app, ALICE.email)


def states(app: FastAPI, purpose: KeyPurpose = KeyPurpose.SIGNING) -> list[str]:
    service: Service = app.state.service
    with service.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        owner = account.id if purpose is KeyPurpose.ENCRYPTION else None
        return [row.state for row in rows.of_purpose(session, purpose, owner)]


def test_the_page_gives_what_an_identity_provider_needs(lone_alice: Browser) -> None:
    lone_alice.open(KEYS)
    assert f"{BASE_URL}/saml2/metadata/business" in lone_alice.text()
    assert lone_alice.html.xpath("//svg[@role='img']/@aria-label")[0].startswith("Today is 2030-01-31. Signing key ")


def test_a_certificate_is_downloaded_as_a_file(lone_alice: Browser, lone_app: FastAPI) -> None:
    lone_alice.open(KEYS)
    address = lone_alice.html.xpath("//a[contains(@href, '/certificates/')]/@href")[0]
    page = lone_alice.open(address)
    assert page.headers["content-disposition"].startswith('attachment; filename="virtual-office-signing-')
    service: Service = lone_app.state.service
    with service.database.reading() as session:
        (own,) = service_keys.published(session).signing
    assert base64.b64decode("".join(page.text.splitlines()[1:-1])) == own
    assert lone_alice.open(f"{KEYS}/certificates/{'0' * 64}").status_code == 404


def test_a_rollover_in_two_steps(lone_alice: Browser, lone_app: FastAPI, clock: StillClock) -> None:
    lone_alice.open(BEGIN)
    assert "Publish the next signing key?" in lone_alice.text()
    lone_alice.submit(BEGIN)
    assert states(lone_app) == [KeyState.ACTIVE, KeyState.UPCOMING]
    clock.advance(hours=11)
    assert "Completing is not safe before 2030-02-01 12:00:00 UTC" in lone_alice_again(lone_app).open(KEYS).text
    clock.advance(hours=13)
    alice = lone_alice_again(lone_app)
    alice.open(COMPLETE)
    assert "not safe" not in alice.text()
    alice.submit(COMPLETE)
    assert states(lone_app) == [KeyState.RETIRED, KeyState.ACTIVE]
    assert "Retired 2030-02-01 12:00:00 UTC" in alice.text()


def lone_alice_again(app: FastAPI) -> Browser:
    """In a new session: a day is longer than one lasts."""
    return signed_in(app, ALICE.email)


def test_too_early_needs_the_answer_to_a_warning(lone_alice: Browser, lone_app: FastAPI) -> None:
    lone_alice.open(BEGIN)
    lone_alice.submit(BEGIN)
    assert lone_alice.post(COMPLETE, data={"csrf_token": lone_alice.token}).status_code == 409
    assert "Nothing was changed" in lone_alice.text()
    assert states(lone_app) == [KeyState.ACTIVE, KeyState.UPCOMING]
    lone_alice.open(COMPLETE)
    assert "Completing is not safe before" in lone_alice.text()
    lone_alice.submit(f"{COMPLETE}?early=true")
    assert states(lone_app) == [KeyState.RETIRED, KeyState.ACTIVE]


def test_a_second_begin_is_refused(lone_alice: Browser, lone_app: FastAPI) -> None:
    for expected in (200, 409):
        lone_alice.open(KEYS)
        assert lone_alice.post(BEGIN, data={"csrf_token": lone_alice.token}).status_code == expected
    assert states(lone_app) == [KeyState.ACTIVE, KeyState.UPCOMING]


def test_an_upcoming_encryption_key_is_safe_at_once(lone_alice: Browser) -> None:
    address = f"{KEYS}/encryption/begin-rollover"
    lone_alice.open(address)
    lone_alice.submit(address)
    assert "Completing is safe: an identity provider that still has the old certificate" in lone_alice.text()


@pytest.mark.parametrize("step", [BEGIN, f"{COMPLETE}?early=true"])
def test_where_there_are_two_companies_neither_changes_what_both_use(app: FastAPI, alice: Browser, step: str) -> None:
    alice.open(KEYS)
    assert "Its operator changes it" in alice.text()
    assert alice.html.xpath("//a[contains(@href, 'signing') and contains(@href, '-rollover')]") == []
    refused = alice.post(step, data={"csrf_token": alice.token})
    assert refused.status_code == 403
    assert [states(app, purpose) for purpose in KeyPurpose] == [[KeyState.ACTIVE], [KeyState.ACTIVE]]


def test_each_company_rolls_its_own_encryption_key_over_and_no_other(
    app: FastAPI, alice: Browser, charlie: Browser
) -> None:
    charlies = KEYS.replace("business", "fabrikam")
    assert certificates_on(charlie, charlies).isdisjoint(certificates_on(alice, KEYS))
    before = metadata_of(app, "fabrikam")
    for step in (f"{KEYS}/encryption/begin-rollover", f"{KEYS}/encryption/complete-rollover"):
        alice.open(step)
        assert alice.post(step, data={"csrf_token": alice.token}).status_code == 200
    assert states(app, KeyPurpose.ENCRYPTION) == [KeyState.RETIRED, KeyState.ACTIVE]
    assert "Opens messages until" in alice.text()
    assert metadata_of(app, "fabrikam") == before
    assert alice.post(f"{charlies}/encryption/begin-rollover", data={"csrf_token": alice.token}).status_code == 404


def certificates_on(browser: Browser, address: str) -> set[str]:
    """The encryption certificates that the page offers."""
    browser.open(address)
    places = browser.html.xpath("//section[@aria-labelledby='encryption-title']//a/@href")
    return {place.rpartition("/")[2] for place in places if "/certificates/" in place}


def metadata_of(app: FastAPI, slug: str) -> bytes:
    return Browser(app).open(f"/saml2/metadata/{slug}").content


def test_the_page_says_how_long_the_former_key_opens(lone_app: FastAPI, lone_alice: Browser, clock: StillClock) -> None:
    service: Service = lone_app.state.service
    lone_alice.open(KEYS)
    assert "the key that all accounts shared before" not in lone_alice.text()
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        account.former_key_until = clock.now + timedelta(minutes=5)
        session.add(account)
    lone_alice.open(KEYS)
    assert "are opened until 2030-01-31 12:05:00 UTC, with a warning" in lone_alice.text()
    clock.advance(minutes=5)
    lone_alice.open(KEYS)
    assert "the key that all accounts shared before" not in lone_alice.text()


def test_an_administrator_among_two_companies_sees_no_retired_key(app: FastAPI, alice: Browser) -> None:
    service: Service = app.state.service
    key = service_keys.new_key(service.settings, KeyPurpose.SIGNING, service.now())
    with service.database.writing() as session:
        service_keys.begin_rollover(session, KeyPurpose.SIGNING, key, service.now())
        service_keys.complete_rollover(session, KeyPurpose.SIGNING, service.now(), early=True)
    alice.open(KEYS)
    assert "Retired" not in alice.text()


def test_a_form_of_another_site_changes_nothing(lone_alice: Browser, lone_app: FastAPI) -> None:
    """Mallory gets Alice to post, and has no token."""
    assert lone_alice.post(BEGIN).status_code == 403
    assert states(lone_app) == [KeyState.ACTIVE]


def test_no_page_shows_a_private_key(lone_alice: Browser, lone_app: FastAPI) -> None:
    service: Service = lone_app.state.service
    lone_alice.open(KEYS)
    with service.database.reading() as session:
        keys = [row.private_key for row, _ in rows.with_accounts(session)]
    assert len(keys) == 2
    addresses = lone_alice.html.xpath("//main//a/@href")
    assert any("/certificates/" in address for address in addresses)
    for address in {KEYS, *addresses}:
        shown = lone_alice.open(address).text.replace("\n", "")
        assert "PRIVATE" not in shown
        for key in keys:
            assert base64.b64encode(key).decode()[200:260] not in shown
            assert key.hex()[400:460] not in shown.lower()


def test_the_signed_metadata_comes_from_the_page(lone_alice: Browser) -> None:
    lone_alice.open(KEYS)
    (address,) = lone_alice.html.xpath("//a[contains(@href, 'signed=true')]/@href")
    assert etree.fromstring(lone_alice.open(address).content)[0].tag.endswith("}Signature")
