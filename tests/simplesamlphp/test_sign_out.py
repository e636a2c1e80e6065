"""Sign-out at SimpleSAMLphp and here: afterwards the sessions on both sides are gone, and no others."""

from __future__ import annotations

import httpx
import pytest
from cast import ALICE, BOB, BRITTA, Person
from journeys.windows import Windows
from playwright.sync_api import expect
from processes.program import Installation
from simplesamlphp import in_a_browser, office
from simplesamlphp.configuration import POST, REDIRECT, Behavior
from simplesamlphp.server import SimpleSamlPhp
from simplesamlphp.visitor import Visitor, sign_in

SIGNED = Behavior(sign_logout=True, validate_logout=True)
BINDINGS = pytest.mark.parametrize("binding", [REDIRECT, POST], ids=["redirect", "post"])


def know_the_service(
    identity_provider: SimpleSamlPhp, service: Installation, binding: str, behavior: Behavior = SIGNED
) -> None:
    """It sends its own logout messages by this binding, the only one that it knows of the service."""
    (certificate,) = office.published_certificates(office.metadata(service), "signing")
    identity_provider.configure_service_provider(
        entity_id=service.acs_url,
        acs_url=service.acs_url,
        slo_urls={binding: f"{service.base_url}/saml2/slo"},
        signing_certificate=certificate,
        behavior=behavior,
    )


def sign_in_both(visitor: Visitor, identity_provider: SimpleSamlPhp, service: Installation, person: Person) -> None:
    visitor.send(sign_in(visitor, identity_provider.idp_initiated_url(service.acs_url), person))
    assert visitor.heading == "Application Panel"


def is_signed_in_here(visitor: Visitor, service: Installation) -> bool:
    visitor.open(f"{service.base_url}/my-profile")
    return visitor.heading == "My profile"


def is_signed_in_there(visitor: Visitor, identity_provider: SimpleSamlPhp, service: Installation) -> bool:
    """Whether it answers without asking for a password."""
    visitor.open(identity_provider.idp_initiated_url(service.acs_url))
    return visitor.has_form_with("SAMLResponse")


def expect_nobody(cookies: httpx.Cookies, identity_provider: SimpleSamlPhp, service: Installation) -> None:
    """Whoever kept the cookies is signed in on neither side: the sessions are gone, not only the cookies."""
    with Visitor(cookies) as mallory:
        assert not is_signed_in_here(mallory, service)
        assert not is_signed_in_there(mallory, identity_provider, service)


@BINDINGS
def test_signing_out_there_ends_the_session_here(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor, binding: str
) -> None:
    know_the_service(simplesamlphp, service, binding)
    with Visitor() as at_home:
        sign_in_both(at_home, simplesamlphp, service, BRITTA)
        sign_in_both(visitor, simplesamlphp, service, BRITTA)
        kept = visitor.cookies
        visitor.open(simplesamlphp.idp_initiated_sign_out_url(f"{service.base_url}/sso/login/"))
        visitor.carry_on()
        assert visitor.url == f"{service.base_url}/sso/login/"
        expect_nobody(kept, simplesamlphp, service)
        assert is_signed_in_here(at_home, service)  # another SessionIndex


@BINDINGS
def test_a_sign_out_that_it_does_not_sign_ends_nothing(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor, binding: str
) -> None:
    know_the_service(simplesamlphp, service, binding, Behavior(sign_logout=False))
    sign_in_both(visitor, simplesamlphp, service, BOB)
    visitor.open(simplesamlphp.idp_initiated_sign_out_url(f"{service.base_url}/sso/login/"))
    visitor.carry_on()
    assert visitor.heading == "We couldn't accept this sign-out message."
    assert is_signed_in_here(visitor, service)


def tell_by(service: Installation, way: str) -> None:
    """The account tells the identity provider of sign-outs this way from now on."""
    office.command(service, "configure", "--sign-out-binding", way)


@pytest.mark.parametrize("way", ["redirect", "post"])
@BINDINGS
def test_signing_out_here_ends_the_session_there(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor, way: str, binding: str
) -> None:
    """`way` is ours, `binding` the one by which it answers."""
    know_the_service(simplesamlphp, service, binding)
    sign_in_both(visitor, simplesamlphp, service, BRITTA)
    kept = visitor.cookies
    tell_by(service, way)
    visitor.sign_out_of(service)
    assert (visitor.heading, "your identity provider confirmed" in visitor.text) == ("You are signed out", True)
    expect_nobody(kept, simplesamlphp, service)


@pytest.mark.parametrize("way", ["redirect", "post"])
def test_a_sign_out_in_our_name_by_another_key_ends_nothing_there(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor, way: str
) -> None:
    simplesamlphp.configure_service_provider(
        entity_id=service.acs_url,
        acs_url=service.acs_url,
        slo_urls={REDIRECT: f"{service.base_url}/saml2/slo"},
        signing_certificate=simplesamlphp.certificate_pem,
        behavior=SIGNED,
    )
    sign_in_both(visitor, simplesamlphp, service, BOB)
    kept = visitor.cookies
    tell_by(service, way)
    visitor.sign_out_of(service)
    assert "Unable to validate " in visitor.text
    with Visitor(kept) as still:
        assert not is_signed_in_here(still, service)
        assert is_signed_in_there(still, simplesamlphp, service)


# In a browser.


@pytest.mark.browser
def test_alice_signs_out_here_in_her_browser(
    service: Installation, simplesamlphp: SimpleSamlPhp, windows: Windows
) -> None:
    simplesamlphp.trust(office.metadata(service), SIGNED)
    alice = windows.open()
    in_a_browser.sign_in(alice, simplesamlphp.idp_initiated_url(service.acs_url), ALICE)
    tell_by(service, "post")
    alice.get_by_role("button", name="Sign Out").click()
    expect(alice.get_by_role("heading", level=1)).to_have_text("You are signed out")
    expect(alice.get_by_role("main")).to_contain_text("your identity provider confirmed")
    alice.goto(simplesamlphp.idp_initiated_url(service.acs_url))
    expect(alice.get_by_label("Password")).to_be_visible()


@pytest.mark.browser
def test_alice_signs_out_there_in_her_browser(
    service: Installation, simplesamlphp: SimpleSamlPhp, windows: Windows
) -> None:
    simplesamlphp.trust(office.metadata(service), SIGNED)
    alice = windows.open()
    in_a_browser.sign_in(alice, simplesamlphp.idp_initiated_url(service.acs_url), ALICE)
    expect(alice.get_by_role("heading", level=1)).to_have_text("Application Panel")
    alice.goto(simplesamlphp.idp_initiated_sign_out_url(f"{service.base_url}/my-profile"))
    expect(alice.get_by_role("heading", level=1)).to_have_text("Sign In")
