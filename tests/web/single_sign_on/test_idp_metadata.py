"""The metadata page: give it, look at what would change, save it, follow it. Nothing is saved before "Save"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attack import attack
from browser import Browser, StillClock
from cast import ALICE, CONTOSO_ISSUER
from fastapi import FastAPI
from idp_metadata import SIGN_IN, aggregate, entity, key, named, role, sign_in_services, signed
from metadata_server import MetadataServer, document, running_server
from responses import Idp

from sp.flows import account_setup
from sp.flows.account_setup import SsoDraft
from sp.flows.metadata_refresh import refresh_due
from sp.request_limits import LARGE_BODY_BYTES
from sp.saml.metadata_document import MAXIMUM_BYTES
from sp.store import accounts, issuer_conflicts
from sp.store.engine import Database
from sp.web.state import Service

PAGE = "/account-manager/business/accounts/single-sign-on/metadata"
PREVIEW = f"{PAGE}/preview"
IDP = Idp.make(CONTOSO_ISSUER)
LARGE = {"content-type": "multipart/form-data; boundary=x"}
NEXT, SIGNER = IDP.with_key("next"), IDP.with_key("signer")
METADATA = entity(IDP)


@pytest.fixture(scope="module")
def server() -> Iterator[MetadataServer]:
    with running_server() as known:
        yield known


def draft(database: Database) -> SsoDraft:
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return account_setup.draft_of(session, account)


def version(database: Database) -> int:
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return accounts.settings_in_force(session, account).version


def upload(browser: Browser, data: bytes, **fields: str | None) -> None:
    browser.open(PAGE)
    browser.submit(PREVIEW, files={"metadata": ("metadata.xml", data)}, **fields)


def test_a_file_is_previewed_and_then_saved(alice: Browser, database: Database) -> None:
    upload(alice, METADATA)
    assert SIGN_IN in alice.text()
    assert IDP.certificate.fingerprint in alice.text()
    assert draft(database) == SsoDraft()
    alice.submit(PAGE)
    assert "The metadata has been taken over." in alice.text()
    after = draft(database)
    assert (after.issuer, after.sign_in_url, after.sign_in_binding) == (CONTOSO_ISSUER, SIGN_IN, "redirect")
    assert (after.certificates, after.single_sign_on) == ((IDP.certificate,), True)


def test_it_says_who_saved_what(alice: Browser, database: Database) -> None:
    upload(alice, METADATA)
    alice.submit(PAGE)
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        in_force = accounts.settings_in_force(session, account)
    assert (in_force.version, in_force.saved_by) == (2, ALICE.email)


def test_text_and_address_do_the_same(alice: Browser, database: Database, server: MetadataServer) -> None:
    alice.open(PAGE)
    alice.submit(PREVIEW, metadata_text=METADATA.decode())
    assert "Added" in alice.text()
    alice.open(PAGE)
    alice.submit(PREVIEW, url=server.says(document(METADATA)), follow=None)
    alice.submit(PAGE)
    assert draft(database).certificates == (IDP.certificate,)


@pytest.mark.usefixtures("connected")
def test_the_link_stands_beside_the_form(alice: Browser) -> None:
    page = alice.open(PAGE.removesuffix("/metadata"))
    assert f'href="{PAGE}"' in page.text
    assert "Import metadata" in alice.text()


def test_what_the_preview_says_of_certificates(alice: Browser, connected: Idp) -> None:
    upload(alice, entity(IDP, role(IDP, keys=key(NEXT.certificate_der))))
    states = {
        card.xpath("string(.//*[contains(@class, 'badge')])").strip(): card.text_content()
        for card in alice.html.find_class("certificate-card")
    }
    assert NEXT.certificate.fingerprint in states["Added"]
    assert connected.certificate.fingerprint in states["Retired"]


def test_nothing_new_is_said_so(alice: Browser, database: Database) -> None:
    upload(alice, METADATA)
    alice.submit(PAGE)
    before = version(database)
    upload(alice, METADATA)
    assert "Nothing would change" in alice.text()
    alice.submit(PAGE)
    assert version(database) == before


REFUSED = {
    "nothing": ({}, "url", "Enter an address, choose a file or paste the text."),
    "two": ({"url": "https://idp.example/", "metadata_text": "<x/>"}, "url", "Give one of the three"),
    "no XML": ({"metadata_text": "hello"}, "metadata_text", "not XML"),
    "credentials": ({"url": "https://user:secret@idp.example/"}, "url", "user name and password"),
    "the cloud": ({"url": "https://169.254.169.254/"}, "url", "does not ask"),
    "a key as pin": ({"metadata_text": "<x/>", "pinned_text": SIGNER.key_pem.decode()}, "pinned", "private key"),
}


@pytest.mark.parametrize(("fields", "name", "phrase"), REFUSED.values(), ids=REFUSED)
def test_each_fault_stands_at_its_field(alice: Browser, fields: dict[str, Any], name: str, phrase: str) -> None:
    alice.open(PAGE)
    page = alice.submit(PREVIEW, **fields)
    assert page.status_code == 422
    assert phrase in alice.error_at(name)
    for field in {"url", "metadata_text"} & set(fields):
        assert alice.value_of(field).strip() == fields[field]


@attack("MET-13 page", "metadata of another account's identity provider")
def test_what_cannot_be_saved_has_no_button(alice: Browser, charlie: Browser, database: Database) -> None:
    upload(alice, METADATA)
    alice.submit(PAGE)
    other = "/account-manager/fabrikam/accounts/single-sign-on/metadata"
    charlie.open(other)
    charlie.submit(f"{other}/preview", metadata_text=entity(NEXT).decode())
    assert "Ask the operator" in charlie.text()
    assert charlie.html.xpath("//main//button[normalize-space()='Save']") == []
    with database.reading() as session:  # the operator hears of it although nothing can be saved
        assert [conflict.issuer for conflict in issuer_conflicts.every_conflict(session)] == [NEXT.entity_id]
    assert charlie.submit(other).status_code == 422
    assert draft(database).certificates == (IDP.certificate,)


@attack("MET-09 page", "unsigned metadata where a signature is wanted", count=2)
def test_a_pinned_certificate_must_have_signed(alice: Browser, database: Database) -> None:
    pin = SIGNER.certificate_pem.decode()
    for forged in (METADATA, signed(METADATA, NEXT)):
        alice.open(PAGE)
        assert alice.submit(PREVIEW, metadata_text=forged.decode(), pinned_text=pin).status_code == 422
        assert "sign" in alice.error_at("metadata_text")
    alice.submit(PREVIEW, metadata_text=signed(METADATA, SIGNER).decode(), pinned_text=pin)
    assert "Its signature was checked" in alice.text()
    assert version(database) == 1


# Federations.


def federation() -> bytes:
    some = [
        entity(IDP, role(IDP, before=named(f"University {at:02}")), entity_id=f"https://u{at:02}.example/")
        for at in range(60)
    ]
    return aggregate(*some)


def test_one_of_a_federation_is_chosen_from_a_list(alice: Browser, database: Database) -> None:
    upload(alice, federation())
    assert "The first 50 are shown" in alice.text()
    forms = (dict(form.form_values()) for form in alice.html.forms)
    alice.post(PREVIEW, data=next(fields for fields in forms if "u07.example" in fields.get("chosen", "")))
    alice.submit(PAGE)
    assert draft(database).issuer == "https://u07.example/"


def test_a_federation_is_searched(alice: Browser) -> None:
    upload(alice, federation(), wanted="university 5")
    assert "10 match" in alice.text()
    upload(alice, federation(), wanted="https://u55.example/")
    assert "University 55" in alice.text()
    assert alice.form(PAGE) is not None
    upload(alice, federation(), wanted="nobody")
    assert alice.error_at("wanted") == "None of 60 identity providers matches."


# Following an address.


def follow(alice: Browser, url: str) -> None:
    alice.open(PAGE)
    alice.submit(PREVIEW, url=url)
    alice.submit(PAGE)
    assert "is read again by itself" in alice.text()


def test_an_address_is_followed(
    alice: Browser, service: Service, clock: StillClock, database: Database, server: MetadataServer
) -> None:
    url = server.says(document(METADATA))
    follow(alice, url)
    assert url in alice.text()
    server.says(document(entity(IDP, role(IDP, keys=key(IDP.certificate_der) + key(NEXT.certificate_der)))))
    clock.advance(days=1)
    assert refresh_due(service.database, service.settings, service.now())
    assert draft(database).certificates == (IDP.certificate, NEXT.certificate)


def test_a_fault_is_shown_and_somebody_may_ask_again(alice: Browser, server: MetadataServer) -> None:
    follow(alice, server.says(document(METADATA)))
    server.says(document(b"", 503))
    alice.submit(f"{PAGE}/refresh")
    assert "HTTP status 503" in alice.text()
    assert "What is trusted stays as it was." in alice.text()
    server.says(document(METADATA))
    alice.submit(f"{PAGE}/refresh")
    assert "It could not be taken over" not in alice.text()


ELSEWHERE = "https://idp.mallory.example/sso"


@pytest.fixture
def waiting(alice: Browser, server: MetadataServer) -> Browser:
    """Alice's browser at a change that waits."""
    follow(alice, server.says(document(METADATA)))
    server.says(document(entity(IDP, role(IDP, sign_in=sign_in_services(ELSEWHERE)))))
    alice.submit(f"{PAGE}/refresh")
    assert "Waiting for you" in alice.text()
    assert ELSEWHERE in alice.text()
    return alice


def test_a_held_change_is_confirmed(waiting: Browser, database: Database) -> None:
    assert draft(database).sign_in_url == SIGN_IN
    waiting.submit(f"{PAGE}/confirm")
    assert "The change has been confirmed and saved." in waiting.text()
    assert draft(database).sign_in_url == ELSEWHERE
    assert "Waiting for you" not in waiting.text()


def test_a_held_change_is_dismissed(waiting: Browser, database: Database) -> None:
    waiting.submit(f"{PAGE}/dismiss")
    assert "The change has been dismissed." in waiting.text()
    assert draft(database).sign_in_url == SIGN_IN
    waiting.submit(f"{PAGE}/refresh")
    assert "Waiting for you" not in waiting.text()


def test_what_somebody_else_has_answered_is_said(waiting: Browser, bob: Browser) -> None:
    bob.open(PAGE)
    bob.submit(f"{PAGE}/dismiss")
    assert waiting.submit(f"{PAGE}/confirm").status_code == 409
    assert "Nothing is waiting any more." in waiting.text()


@pytest.mark.parametrize("button", ["confirm", "dismiss"])
def test_what_changed_again_meanwhile_is_shown_anew(
    waiting: Browser, bob: Browser, database: Database, server: MetadataServer, button: str
) -> None:
    server.says(document(entity(IDP, role(IDP, sign_in=sign_in_services(ELSEWHERE + "/2")))))
    bob.open(PAGE)
    bob.submit(f"{PAGE}/refresh")
    assert waiting.submit(f"{PAGE}/{button}").status_code == 409
    assert "The metadata has changed again since you looked" in waiting.text()
    assert ELSEWHERE + "/2" in waiting.text()
    assert draft(database).sign_in_url == SIGN_IN
    waiting.submit(f"{PAGE}/{button}")
    assert "Waiting for you" not in waiting.text()


def test_an_address_is_left(alice: Browser, database: Database, server: MetadataServer) -> None:
    follow(alice, server.says(document(METADATA)))
    alice.submit(f"{PAGE}/leave")
    assert "no longer followed" in alice.text()
    assert draft(database).certificates == (IDP.certificate,)
    assert alice.post(f"{PAGE}/confirm", data={"csrf_token": alice.token}).status_code == 404


@pytest.mark.usefixtures("connected")
def test_a_save_meanwhile_is_not_overwritten(alice: Browser, bob: Browser, database: Database) -> None:
    """The preview is made anew, and says what is true by then."""
    upload(alice, entity(IDP, role(IDP, sign_in=sign_in_services(ELSEWHERE))))
    saml = PAGE.replace("/metadata", "/saml")
    bob.open(PAGE.removesuffix("/metadata"))
    bob.submit(saml, sign_in_url="https://idp.contoso.example/bobs")
    page = alice.submit(PAGE)
    assert page.status_code == 409
    assert "https://idp.contoso.example/bobs" in alice.text()
    assert draft(database).sign_in_url == "https://idp.contoso.example/bobs"
    alice.submit(PAGE)
    assert draft(database).sign_in_url == ELSEWHERE


# Who may, and how much.


@pytest.mark.parametrize("path", ["", "/preview"])
def test_another_companys_account_does_not_exist(charlie: Browser, path: str) -> None:
    charlie.open("/account-manager/fabrikam/accounts/single-sign-on/metadata")
    assert charlie.open(f"{PAGE}{path}").status_code == 404
    charlie.open("/account-manager/fabrikam/accounts/single-sign-on/metadata")
    for action in ("", "/preview", "/refresh", "/leave", "/confirm", "/dismiss"):
        assert charlie.post(f"{PAGE}{action}", data={"csrf_token": charlie.token}).status_code == 404
        charlie.open("/account-manager/fabrikam/accounts/single-sign-on/metadata")


def test_a_large_federation_comes_through(alice: Browser) -> None:
    large = federation().replace(b"</md:EntitiesDescriptor>", b" " * 4 * 1024 * 1024 + b"</md:EntitiesDescriptor>")
    upload(alice, large, wanted="https://u59.example/")
    assert "University 59" in alice.text()


@attack("MET-03 upload", "more than the page takes, and large forms from somebody who is not signed in", count=2)
def test_there_is_a_most(alice: Browser, app: FastAPI) -> None:
    upload(alice, METADATA + b" " * MAXIMUM_BYTES)
    assert "larger than 16 MiB" in alice.error_at("metadata")
    too_much = b"x" * (MAXIMUM_BYTES + LARGE_BODY_BYTES + 1)
    assert alice.post(PREVIEW, content=too_much, headers=LARGE).status_code == 413
    stranger = Browser(app)
    stranger.open("/")
    stranger.client.follow_redirects = False
    assert stranger.post(PREVIEW, content=b"x" * 2 * LARGE_BODY_BYTES, headers=LARGE).status_code == 303


def test_a_refused_form_can_be_reloaded(alice: Browser) -> None:
    assert alice.open(PREVIEW).status_code == 200
    assert alice.page.url.path == PAGE
    assert alice.post(PAGE, data={"csrf_token": alice.token}).status_code == 200
