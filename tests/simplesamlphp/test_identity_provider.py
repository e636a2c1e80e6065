"""The identity provider of these tests by itself: it publishes, it rolls over, it keeps to its folder."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cast import BRITTA
from lxml import etree
from processes.program import ROOT
from simplesamlphp.configuration import POST, REDIRECT, Behavior, Offer, php
from simplesamlphp.packages import PACKAGES, why_not
from simplesamlphp.server import SimpleSamlPhp, running
from simplesamlphp.visitor import Visitor, log_in, sign_in

NS = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}
SERVICE = "https://service.contoso.example/saml2"
METADATA = f"""\
<EntityDescriptor xmlns="{NS["md"]}" entityID="{SERVICE}">
<SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true">
<AssertionConsumerService Binding="{POST}" Location="{SERVICE}/acs" index="0"/>
</SPSSODescriptor></EntityDescriptor>""".encode()


def published(identity_provider: SimpleSamlPhp, path: str) -> list[str]:
    found: Any = etree.fromstring(identity_provider.metadata()).xpath(path, namespaces=NS)
    return ["".join(str(value).split()) for value in found]


def certificates(identity_provider: SimpleSamlPhp) -> list[str]:
    """Those that verify signatures; the first one is the upcoming one, where there is one."""
    return published(identity_provider, "//md:KeyDescriptor[not(@use='encryption')]//ds:X509Certificate/text()")


def body(pem: str) -> str:
    return "".join(pem.split("-----")[2].split())


def test_metadata_is_served_and_names_what_the_fixture_says(simplesamlphp: SimpleSamlPhp) -> None:
    assert published(simplesamlphp, "/md:EntityDescriptor/@entityID") == [simplesamlphp.entity_id]
    assert published(simplesamlphp, "//md:SingleSignOnService/@Location") == [simplesamlphp.sign_in_url] * 2
    assert published(simplesamlphp, "//md:SingleLogoutService/@Location") == [simplesamlphp.sign_out_url] * 2
    assert certificates(simplesamlphp) == [body(simplesamlphp.certificate_pem)]


def test_what_it_offers_can_change(simplesamlphp: SimpleSamlPhp) -> None:
    simplesamlphp.offer(Offer((REDIRECT,), (POST,), wants_signed_requests=True))
    try:
        assert published(simplesamlphp, "//md:SingleSignOnService/@Binding") == [REDIRECT]
        assert published(simplesamlphp, "//md:SingleLogoutService/@Binding") == [POST]
        assert published(simplesamlphp, "//@WantAuthnRequestsSigned") == ["true"]
    finally:
        simplesamlphp.offer(Offer())
    assert published(simplesamlphp, "//@WantAuthnRequestsSigned") == []


@pytest.mark.usefixtures("simplesamlphp")
def test_a_certificate_is_published_before_its_key_signs(tmp_path: Path) -> None:
    with running(tmp_path) as other:
        old = other.certificate_pem
        new = other.announce_certificate()
        assert other.certificate_pem == old
        assert certificates(other) == [body(new), body(old)]
        assert other.roll_over() == new == other.certificate_pem
        assert certificates(other) == [body(new)]


def test_a_service_provider_is_taken_from_its_metadata(simplesamlphp: SimpleSamlPhp, visitor: Visitor) -> None:
    simplesamlphp.trust(METADATA, Behavior(sign_response=False))
    sent = sign_in(visitor, simplesamlphp.idp_initiated_url(SERVICE, "/phone"), BRITTA)
    assert (sent.action, sent.fields["RelayState"]) == (f"{SERVICE}/acs", "/phone")


def test_a_service_provider_that_it_does_not_know_gets_nothing(simplesamlphp: SimpleSamlPhp, visitor: Visitor) -> None:
    visitor.open(simplesamlphp.idp_initiated_url("https://mallory.example/saml2"))
    assert "Metadata not found" in visitor.text


def test_a_wrong_password_gets_no_answer(simplesamlphp: SimpleSamlPhp, visitor: Visitor) -> None:
    simplesamlphp.trust(METADATA)
    visitor.open(simplesamlphp.idp_initiated_url(SERVICE))
    log_in(visitor, BRITTA, "Mallory-Guesses-1")
    assert "Incorrect username or password" in visitor.text


def test_it_ends_and_its_sessions_are_in_its_folder(
    simplesamlphp: SimpleSamlPhp, tmp_path: Path, visitor: Visitor
) -> None:
    with running(tmp_path) as other:
        other.trust(METADATA)
        sign_in(visitor, other.idp_initiated_url(SERVICE), BRITTA)
        assert other.entity_id != simplesamlphp.entity_id
    port = urlsplit(other.base_url).port
    assert port is not None
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    with pytest.raises(httpx.ConnectError):
        other.metadata()
    assert any((tmp_path / "sessions").iterdir())
    assert "Sending SAML 2.0 Response" in other.log


# Without it


def test_the_reason_of_a_skip_names_the_packages() -> None:
    assert why_not(("php-cli", "php-xml")) == (
        "SimpleSAMLphp is not installed (Debian: apt-get install php-cli php-xml)"
    )


def test_continuous_integration_installs_every_package() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8").split()
    assert [package for package in PACKAGES if package not in script] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        ("O'Hara\\", r"'O\'Hara\\'"),
        ({"a": [1, "b"]}, "['a' => [1, 'b']]"),
    ],
)
def test_values_in_php(value: object, text: str) -> None:
    assert php(value) == text  # type: ignore[arg-type]
