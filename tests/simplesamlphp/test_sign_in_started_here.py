"""Sign-in started at the service: what SimpleSAMLphp makes of our requests, and the service of its answers."""

from __future__ import annotations

import pytest
from cast import ALICE, BOB, BRITTA
from journeys.windows import Windows
from playwright.sync_api import expect
from processes.program import Installation
from simplesamlphp import in_a_browser, office
from simplesamlphp.configuration import Behavior
from simplesamlphp.server import SimpleSamlPhp
from simplesamlphp.visitor import Visitor, log_in, sign_in

BY_DEFAULT = (
    *("--sign-in-binding", "redirect", "--sign-requests", "off"),
    *("--force-authn", "off", "--is-passive", "off"),
)


def start(visitor: Visitor, service: Installation, next_path: str = "/") -> None:
    """From the address of the account to SimpleSAMLphp, by whichever binding the account has."""
    visitor.open(f"{service.base_url}/sso/login/business?next={next_path}")
    if visitor.url.startswith(service.base_url):
        visitor.send(visitor.form_with("SAMLRequest"))


def test_britta_returns_to_where_she_wanted_to_go(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor
) -> None:
    ask(service)
    simplesamlphp.trust(office.metadata(service))
    start(visitor, service, "/my-profile")
    assert visitor.url.startswith(simplesamlphp.base_url)
    log_in(visitor, BRITTA)
    form = visitor.form_with("SAMLResponse")
    assert (form.action, "InResponseTo" in form.message) == (service.acs_url, True)
    visitor.send(form)
    assert (visitor.url, visitor.heading) == (f"{service.base_url}/my-profile", "My profile")


def test_the_answer_opens_no_other_browser(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor
) -> None:
    """Mallory gives Bob an answer to a request of her own; later Bob's own browser takes it, once."""
    ask(service)
    simplesamlphp.trust(office.metadata(service))
    start(visitor, service)
    log_in(visitor, BOB)
    form = visitor.form_with("SAMLResponse")
    with Visitor() as elsewhere:
        refused = elsewhere.send_for_json(form)
    assert (refused["outcome"], refused["failed"][:1]) == ("refused", ["in_response_to"])
    assert visitor.send_for_json(form)["outcome"] == "accepted"
    again = visitor.send_for_json(form)
    assert (again["outcome"], again["failed"][:1]) == ("refused", ["in_response_to"])


REFUSED = {
    "off": "Validation of received messages enabled, but no signature found on message.",
    "on": "Unable to validate ",
}


def ask(service: Installation, *options: str) -> None:
    """The account's requests are made with these options from now on, and otherwise as they are by default."""
    office.command(service, "configure", *BY_DEFAULT, *options)


@pytest.mark.parametrize("binding", ["redirect", "post"])
@pytest.mark.parametrize("signed", ["off", "on"])
def test_requests_are_understood(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor, binding: str, signed: str
) -> None:
    """Signed ones are verified there, since the account's metadata says that they are signed."""
    ask(service, "--sign-in-binding", binding, "--sign-requests", signed)
    simplesamlphp.trust(office.metadata(service, "business"))
    start(visitor, service, "/my-profile")
    log_in(visitor, BRITTA)
    visitor.send(visitor.form_with("SAMLResponse"))
    assert visitor.url == f"{service.base_url}/my-profile"


@pytest.mark.parametrize("binding", ["redirect", "post"])
@pytest.mark.parametrize("signed", ["off", "on"])
def test_requests_that_are_not_signed_with_the_key_it_knows_are_refused_there(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor, binding: str, signed: str
) -> None:
    simplesamlphp.configure_service_provider(
        entity_id=service.acs_url,
        acs_url=service.acs_url,
        signing_certificate=simplesamlphp.certificate_pem,
        behavior=Behavior(validate_authnrequest=True),
    )
    ask(service, "--sign-in-binding", binding, "--sign-requests", signed)
    start(visitor, service)
    assert visitor.heading == "Unhandled exception"
    assert REFUSED[signed] in visitor.text
    assert [form for form in visitor.html.forms if "password" in form.fields] == []


def expect_sign_in(service: Installation) -> None:
    with Visitor() as britta:
        start(britta, service)
        log_in(britta, BRITTA)
        assert britta.send_for_json(britta.form_with("SAMLResponse"))["outcome"] == "accepted"


def test_our_signing_key_changes(service: Installation, simplesamlphp: SimpleSamlPhp) -> None:
    """Once SimpleSAMLphp has read of the next key, it does not matter which one signs."""
    ask(service, "--sign-requests", "on")
    office.command(service, "keys", "begin-rollover", "--purpose", "signing")
    simplesamlphp.trust(office.metadata(service, "business"))
    expect_sign_in(service)
    office.command(service, "keys", "complete-rollover", "--purpose", "signing", "--early")
    expect_sign_in(service)
    simplesamlphp.trust(office.metadata(service, "business"))
    expect_sign_in(service)


def test_a_fresh_sign_in_is_asked_for(service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor) -> None:
    """ForceAuthn: whoever has a session there types the password once more."""
    simplesamlphp.trust(office.metadata(service))
    sign_in(visitor, simplesamlphp.idp_initiated_url(service.acs_url), BRITTA)
    ask(service, "--force-authn", "on")
    start(visitor, service)
    log_in(visitor, BRITTA)
    assert visitor.send_for_json(visitor.form_with("SAMLResponse"))["outcome"] == "accepted"


def test_nobody_is_asked_for_a_password(service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor) -> None:
    """IsPassive: without a session there the answer is NoPassive, which is put into words; with one Bob is in."""
    simplesamlphp.trust(office.metadata(service))
    ask(service, "--is-passive", "on")
    start(visitor, service)
    refused = visitor.send_for_json(visitor.form_with("SAMLResponse"))
    sign_in(visitor, simplesamlphp.idp_initiated_url(service.acs_url), BOB)
    start(visitor, service)
    assert (refused["outcome"], refused["failed"]) == ("refused", ["status"])
    assert "(NoPassive)" in refused["message"]
    assert visitor.send_for_json(visitor.form_with("SAMLResponse"))["outcome"] == "accepted"


@pytest.mark.browser
def test_alice_uses_single_sign_on_in_her_browser(
    service: Installation, simplesamlphp: SimpleSamlPhp, windows: Windows
) -> None:
    ask(service)
    simplesamlphp.trust(office.metadata(service), Behavior(encrypt_assertion=True))
    alice = windows.open()
    alice.goto(f"{service.base_url}/my-profile")
    alice.get_by_role("link", name="Use Single Sign On").click()
    alice.get_by_label("8x8 Username or Email").fill(ALICE.email)
    alice.get_by_role("button", name="Continue").click()
    alice.get_by_role("link", name="Log in using SAML").click()
    in_a_browser.log_in(alice, ALICE)
    alice.wait_for_url(f"{service.base_url}/my-profile")
    expect(alice.get_by_role("heading", level=1)).to_have_text("My profile")
