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
from simplesamlphp.visitor import Visitor, log_in


def start(visitor: Visitor, service: Installation, next_path: str = "/") -> None:
    """From the address of the account to SimpleSAMLphp, by whichever binding the account has."""
    visitor.open(f"{service.base_url}/sso/login/business?next={next_path}")
    if visitor.url.startswith(service.base_url):
        visitor.send(visitor.form_with("SAMLRequest"))


def test_britta_returns_to_where_she_wanted_to_go(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor
) -> None:
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


@pytest.mark.browser
def test_alice_uses_single_sign_on_in_her_browser(
    service: Installation, simplesamlphp: SimpleSamlPhp, windows: Windows
) -> None:
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
