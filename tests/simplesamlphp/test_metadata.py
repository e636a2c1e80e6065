"""Our metadata as SimpleSAMLphp's own reader takes it, and assertions and names encrypted for the key in it."""

from __future__ import annotations

import pytest
from cast import ALICE, BRITTA
from journeys.windows import Windows
from playwright.sync_api import expect
from processes.program import Installation
from simplesamlphp import in_a_browser, office
from simplesamlphp.configuration import Behavior
from simplesamlphp.server import SimpleSamlPhp
from simplesamlphp.visitor import Visitor, sign_in

ENCRYPTED: tuple[tuple[Behavior, list[str]], ...] = (
    (Behavior(encrypt_assertion=True), []),
    (Behavior(encrypt_assertion=True, sign_response=True, sign_assertion=False), []),
    (Behavior(encrypt_assertion=True, sign_response=False), ["encryption_algorithms"]),
    (Behavior(encrypt_name_id=True), []),
    (Behavior(encrypt_assertion=True, encrypt_name_id=True), []),
)


def verdict_on(
    service: Installation, identity_provider: SimpleSamlPhp, visitor: Visitor, behavior: Behavior
) -> tuple[str, dict[str, object]]:
    """What SimpleSAMLphp sent, decoded, and what the service answered."""
    identity_provider.trust(office.metadata(service), behavior)
    form = sign_in(visitor, identity_provider.idp_initiated_url(service.acs_url), ALICE)
    assert form.action == service.acs_url
    return form.message, visitor.send_for_json(form)


def test_it_takes_the_service_from_its_metadata(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor
) -> None:
    sent, verdict = verdict_on(service, simplesamlphp, visitor, Behavior())
    assert (verdict["outcome"], verdict["warnings"]) == ("accepted", [])
    assert "<saml:EncryptedAssertion" not in sent


@pytest.mark.parametrize(
    ("behavior", "warnings"),
    ENCRYPTED,
    ids=["both-signed", "response-signed", "assertion-signed", "name", "assertion-and-name"],
)
def test_what_it_encrypts_is_opened(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor, behavior: Behavior, warnings: list[str]
) -> None:
    """AES-128-CBC, all that it has: worth a warning where no signature lies around it."""
    sent, verdict = verdict_on(service, simplesamlphp, visitor, behavior)
    assert "http://www.w3.org/2001/04/xmlenc#aes128-cbc" in sent
    assert bool(behavior.encrypt_assertion) == (ALICE.first_name not in sent)
    assert f">{ALICE.email}</saml:NameID>" not in sent
    assert (verdict["outcome"], verdict["warnings"], verdict["username"]) == ("accepted", warnings, ALICE.email)


@pytest.mark.parametrize("behavior", [Behavior(encrypt_assertion=True), Behavior(encrypt_name_id=True)])
def test_what_is_encrypted_for_another_service_is_refused(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor, behavior: Behavior
) -> None:
    simplesamlphp.configure_service_provider(
        entity_id=service.acs_url,
        acs_url=service.acs_url,
        encryption_certificate=simplesamlphp.certificate_pem,
        behavior=behavior,
    )
    verdict = visitor.send_for_json(sign_in(visitor, simplesamlphp.idp_initiated_url(service.acs_url), ALICE))
    assert (verdict["outcome"], verdict["failed"]) == (
        "refused",
        ["decryption" if behavior.encrypt_assertion else "subject"],
    )


def test_it_verifies_the_signature_of_our_metadata(service: Installation, simplesamlphp: SimpleSamlPhp) -> None:
    signed = office.metadata(service, signed=True)
    (ours,) = office.published_certificates(signed, "signing")
    assert simplesamlphp.verifies_metadata(signed, ours)
    assert not simplesamlphp.verifies_metadata(signed, simplesamlphp.certificate_pem)
    altered = signed.replace(service.acs_url.encode(), b"https://mallory.example/saml2")
    assert altered != signed
    assert not simplesamlphp.verifies_metadata(altered, ours)


@pytest.mark.browser
def test_britta_signs_in_with_an_encrypted_assertion_in_her_browser(
    service: Installation, simplesamlphp: SimpleSamlPhp, windows: Windows
) -> None:
    simplesamlphp.trust(office.metadata(service), Behavior(encrypt_assertion=True))
    britta = windows.open()
    in_a_browser.sign_in(britta, simplesamlphp.idp_initiated_url(service.acs_url, "/my-profile"), BRITTA)
    britta.wait_for_url(f"{service.base_url}/my-profile")
    expect(britta.get_by_role("heading", level=1)).to_have_text("My profile")
