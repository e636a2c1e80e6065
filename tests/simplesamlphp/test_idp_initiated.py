"""Sign-in started at SimpleSAMLphp: what it sends unasked, and what the service makes of it."""

from __future__ import annotations

import pytest
from cast import ALICE, BOB, BRITTA, CHARLIE
from journeys.windows import Windows
from playwright.sync_api import expect
from processes.program import Installation
from simplesamlphp import in_a_browser, office
from simplesamlphp.configuration import EMAIL, PERSISTENT, UNSPECIFIED, Behavior
from simplesamlphp.server import SimpleSamlPhp
from simplesamlphp.visitor import Visitor, sign_in

SOMEBODY_ELSE = "https://sso.fabrikam.example/saml2"


def know_the_service(identity_provider: SimpleSamlPhp, service: Installation, behavior: Behavior) -> None:
    identity_provider.configure_service_provider(entity_id=service.acs_url, acs_url=service.acs_url, behavior=behavior)


def test_britta_is_signed_in_and_provisioned(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor
) -> None:
    form = sign_in(visitor, simplesamlphp.idp_initiated_url(service.acs_url, "/my-profile"), BRITTA)
    assert form.action == service.acs_url
    page = visitor.send(form)
    assert (page.status_code, str(page.url)) == (200, f"{service.base_url}/my-profile")
    assert (visitor.heading, "Britta Simon" in visitor.text) == ("My profile", True)
    (profile,) = (user for user in office.users(service) if user["username"] == BRITTA.email)
    assert (profile["first_name"], profile["last_name"], profile["email"]) == ("Britta", "Simon", BRITTA.email)


def test_the_second_time_nobody_is_asked_and_nobody_is_added(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor
) -> None:
    url = simplesamlphp.idp_initiated_url(service.acs_url)
    first = visitor.send_for_json(sign_in(visitor, url, CHARLIE))
    visitor.open(url)
    second = visitor.send_for_json(visitor.form_with("SAMLResponse"))
    assert (first["outcome"], first["provisioned"]) == ("accepted", True)
    assert (second["outcome"], second["provisioned"]) == ("accepted", False)


def test_mallory_cannot_replay_bobs_response(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor
) -> None:
    form = sign_in(visitor, simplesamlphp.idp_initiated_url(service.acs_url), BOB)
    assert visitor.send_for_json(form)["outcome"] == "accepted"
    with Visitor() as mallory:
        again = mallory.send_for_json(form)
    assert (again["outcome"], again["failed"]) == ("refused", ["replay"])


def test_a_response_for_another_service_names_the_audience(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor
) -> None:
    """What an administrator gets who types another entity ID at the identity provider."""
    simplesamlphp.configure_service_provider(entity_id=SOMEBODY_ELSE, acs_url=service.acs_url)
    form = sign_in(visitor, simplesamlphp.idp_initiated_url(SOMEBODY_ELSE), BRITTA)
    verdict = visitor.send_for_json(form)
    assert verdict["outcome"] == "refused"
    assert verdict["failed"] == ["subject", "audience"]  # its SPNameQualifier is that entity ID too
    assert verdict["message"].startswith(
        f'The audience is "{SOMEBODY_ELSE}", but this service\'s entity ID is "{service.acs_url}"'
    )
    assert "`metadata/saml20-sp-remote.php`" in verdict["remedy"]


@pytest.mark.parametrize(
    "behavior",
    [
        Behavior(sign_response=False),
        Behavior(sign_assertion=False),
        Behavior(name_id_format=UNSPECIFIED),
        Behavior(name_id_format=PERSISTENT),
        Behavior(name_id_format=EMAIL, lifetime_seconds=30),
        Behavior(signature_algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"),
    ],
    ids=["assertion-signed", "response-signed", "unspecified", "persistent", "short", "rsa-sha512"],
)
def test_every_way_that_it_sends_is_accepted(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor, behavior: Behavior
) -> None:
    know_the_service(simplesamlphp, service, behavior)
    form = sign_in(visitor, simplesamlphp.idp_initiated_url(service.acs_url), ALICE)
    verdict = visitor.send_for_json(form)
    assert (verdict["outcome"], verdict["warnings"], verdict["username"]) == ("accepted", [], ALICE.email)


@pytest.mark.parametrize(
    ("behavior", "failed"),
    [
        (Behavior(sign_response=False, sign_assertion=False), "signature_present"),
        (Behavior(signature_algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"), "signature_algorithms"),
    ],
    ids=["unsigned", "sha1"],
)
def test_what_must_not_be_believed_is_refused(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor, behavior: Behavior, failed: str
) -> None:
    know_the_service(simplesamlphp, service, behavior)
    verdict = visitor.send_for_json(sign_in(visitor, simplesamlphp.idp_initiated_url(service.acs_url), ALICE))
    assert (verdict["outcome"], verdict["failed"][:1]) == ("refused", [failed])


@pytest.mark.browser
def test_britta_signs_in_with_her_browser(
    service: Installation, simplesamlphp: SimpleSamlPhp, windows: Windows
) -> None:
    know_the_service(simplesamlphp, service, Behavior())
    britta = windows.open()
    in_a_browser.sign_in(britta, simplesamlphp.idp_initiated_url(service.acs_url), BRITTA)
    britta.wait_for_url(f"{service.base_url}/")
    expect(britta.get_by_role("heading", level=1)).to_have_text("Application Panel")
    expect(britta.get_by_text("Signed in as Britta Simon.")).to_be_visible()


@pytest.mark.browser
def test_a_refusal_is_a_page_in_her_browser(
    service: Installation, simplesamlphp: SimpleSamlPhp, windows: Windows
) -> None:
    simplesamlphp.configure_service_provider(entity_id=SOMEBODY_ELSE, acs_url=service.acs_url)
    britta = windows.open()
    in_a_browser.sign_in(britta, simplesamlphp.idp_initiated_url(SOMEBODY_ELSE), BRITTA)
    britta.wait_for_url(service.acs_url)
    expect(britta.get_by_role("main")).to_contain_text(SOMEBODY_ELSE)
