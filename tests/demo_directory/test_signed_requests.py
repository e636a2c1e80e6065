"""A stranger's opinion: pysaml2's identity provider reads our requests and verifies how they are signed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cast import ACS_URL, ENTITY_ID
from saml2 import BINDING_HTTP_REDIRECT, samlp
from saml2.sigver import RSACrypto

from sp.demo_directory.keys import SigningKey
from sp.demo_directory.pysaml2 import IdPConfig, Server
from sp.saml.authn_request import RequestOptions, write_request
from sp.saml.own_keys import OwnKey, make_key
from sp.saml.redirect_binding import Carried, redirect_url

SIGN_IN_URL = "https://idp.example/sign-in"
_DESCRIPTOR = """\
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">\
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" AuthnRequestsSigned="true">\
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>\
<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\
<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{acs_url}" index="0"/>\
</md:SPSSODescriptor></md:EntityDescriptor>"""


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def key() -> OwnKey:
    return make_key("sp.example", now())


@pytest.fixture(scope="module")
def server(key: OwnKey, key_files: SigningKey) -> Any:
    """An identity provider that insists on signed requests and knows our certificate from metadata."""
    certificate = base64.b64encode(key.certificate).decode()
    descriptor = _DESCRIPTOR.format(entity_id=ENTITY_ID, certificate=certificate, acs_url=ACS_URL)
    configuration = {
        "entityid": "https://idp.example/",
        "crypto_backend": "XMLSecurity",
        "key_file": str(key_files.key_file),
        "cert_file": str(key_files.certificate_file),
        "metadata": {"inline": [descriptor]},
        "service": {
            "idp": {
                "want_authn_requests_signed": True,
                "endpoints": {"single_sign_on_service": [(SIGN_IN_URL, BINDING_HTTP_REDIRECT)]},
            }
        },
    }
    server = Server(config=IdPConfig().load(configuration))
    server.sec.sec_backend = RSACrypto(None)  # what pysaml2 verifies a query with, whatever verifies XML
    return server


def query_of(key: OwnKey | None, **options: Any) -> dict[str, str]:
    xml = write_request(RequestOptions("_1", now(), ENTITY_ID, SIGN_IN_URL, ACS_URL, **options))
    return dict(parse_qsl(urlsplit(redirect_url(SIGN_IN_URL, Carried.REQUEST, xml, relay_state="_1", key=key)).query))


def read(server: Any, query: Mapping[str, str]) -> Any:
    return server.parse_authn_request(
        query["SAMLRequest"],
        BINDING_HTTP_REDIRECT,
        relay_state=query.get("RelayState"),
        sigalg=query.get("SigAlg"),
        signature=query.get("Signature"),
    )


def test_it_accepts_our_signature_and_reads_what_we_ask(server: Any, key: OwnKey) -> None:
    message = read(server, query_of(key, force_authn=True, provider_name="Contoso", proxy_count=2)).message
    assert isinstance(message, samlp.AuthnRequest)
    assert (message.id, message.issuer.text) == ("_1", ENTITY_ID)
    assert (message.assertion_consumer_service_url, message.destination) == (ACS_URL, SIGN_IN_URL)
    assert (message.force_authn, message.provider_name, message.scoping.proxy_count) == ("true", "Contoso", "2")


@pytest.mark.parametrize("changed", ["RelayState", "Signature", "SigAlg"])
def test_it_refuses_what_was_changed(server: Any, key: OwnKey, changed: str) -> None:
    other = {"RelayState": "other", "Signature": "QUJD", "SigAlg": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"}
    with pytest.raises(Exception, match="not signed correctly"):
        read(server, query_of(key) | {changed: other[changed]})


def test_it_refuses_an_unsigned_one(server: Any) -> None:
    with pytest.raises(Exception, match=r"(?i)sign"):
        read(server, query_of(None))
