"""Our own XML messages: signed so that the engine that judges others accepts them."""

from __future__ import annotations

import pytest
import xmlsec
from cast import NOW
from lxml import etree

from sp.saml import names
from sp.saml.certificates import stored_certificate
from sp.saml.errors import SamlError
from sp.saml.message_signing import signed_message
from sp.saml.own_keys import OwnKey, make_key

REQUEST = (
    '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" Version="2.0">\n'
    '  <saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">Bü &amp; sons</saml:Issuer>\n'
    "  <samlp:Scoping/>\n</samlp:AuthnRequest>"
).encode()


@pytest.fixture(scope="module")
def key() -> OwnKey:
    return make_key("sp.example", NOW)


def verifies(xml: bytes, certificate: bytes) -> bool:
    root = etree.fromstring(xml)
    context = xmlsec.SignatureContext()
    context.register_id(root, "ID")
    context.key = xmlsec.Key.from_memory(stored_certificate(certificate).pem, xmlsec.constants.KeyDataFormatCertPem)
    signature = root.find(names.SIGNATURE)
    assert signature is not None
    try:
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


def test_the_signature_verifies_and_covers_everything(key: OwnKey) -> None:
    signed = signed_message(REQUEST, key)
    assert verifies(signed, key.certificate)
    assert not verifies(signed.replace(b"sons", b"daughters"), key.certificate)
    assert not verifies(signed.replace(b"Scoping", b"Skoping"), key.certificate)
    assert not verifies(signed, make_key("other", NOW).certificate)


def test_the_signature_stands_right_after_the_issuer(key: OwnKey) -> None:
    tags = [child.tag for child in etree.fromstring(signed_message(REQUEST, key))]
    assert tags == [names.ISSUER, names.SIGNATURE, f"{{{names.SAMLP}}}Scoping"]


def test_without_an_issuer_it_is_the_first_child(key: OwnKey) -> None:
    signed = signed_message(b'<EntityDescriptor xmlns="urn:x" ID="_m"><Extensions/></EntityDescriptor>', key)
    assert etree.fromstring(signed)[0].tag == names.SIGNATURE
    assert verifies(signed, key.certificate)


def test_the_certificate_is_in_the_message_and_the_private_key_is_not(key: OwnKey) -> None:
    signed = signed_message(REQUEST, key)
    found = etree.fromstring(signed).find(f".//{names.X509_CERTIFICATE}")
    assert found is not None
    assert b"PRIVATE" not in signed
    assert stored_certificate(key.certificate).pem.replace("\n", "").find(found.text or "?") > 0


@pytest.mark.parametrize("xml", [b"<a/>", b'<a ID=""/>', b"<a", b""])
def test_what_cannot_be_signed_says_why(key: OwnKey, xml: bytes) -> None:
    with pytest.raises(SamlError, match="cannot be signed"):
        signed_message(xml, key)
