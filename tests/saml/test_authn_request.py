"""What an AuthnRequest of ours says, and what is read back of one."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from attack import attack
from cast import ACS_URL, ENTITY_ID, NOW
from lxml import etree

from sp.saml import names
from sp.saml.authn_request import RequestOptions, SentRequest, read_request, request_id, write_request
from sp.saml.message_signing import signed_message
from sp.saml.messages import Limits
from sp.saml.own_keys import make_key
from sp.saml.xml import Document, schema_problem

NS: dict[str, str] = {"samlp": names.SAMLP, "saml": names.SAML}
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
EVERYTHING: dict[str, Any] = {
    "force_authn": True,
    "is_passive": True,
    "name_id_policy": PERSISTENT,
    "requested_contexts": ("urn:mfa", "urn:password"),
    "comparison": "minimum",
    "provider_name": "Bürgeramt <&>",
    "scoping_providers": ("https://one.example/", "urn:two"),
    "proxy_count": 0,
}


def written(**changes: Any) -> bytes:
    options = RequestOptions("_1", NOW, ENTITY_ID, "https://idp.example/sso", ACS_URL, **changes)
    return write_request(options)


def tree(**changes: Any) -> etree._Element:
    return etree.fromstring(written(**changes))


def valid(xml: bytes) -> bool:
    return schema_problem(Document(xml, Limits())) is None


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_option_alone_is_valid(name: str) -> None:
    assert valid(written(**{name: EVERYTHING[name]}))


def test_everything_at_once_is_valid_signed_too() -> None:
    assert valid(written(**EVERYTHING))
    assert valid(signed_message(written(**EVERYTHING), make_key("sp.example", NOW)))


def test_without_options_it_asks_for_nothing_that_an_identity_provider_could_refuse() -> None:
    root = tree()
    assert dict(root.attrib.items()) == {
        "ID": "_1",
        "Version": "2.0",
        "IssueInstant": "2030-01-31T12:00:00Z",
        "Destination": "https://idp.example/sso",
        "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        "AssertionConsumerServiceURL": ACS_URL,
    }
    assert [(child.tag, child.text) for child in root] == [(names.ISSUER, ENTITY_ID)]


def test_there_is_never_a_subject() -> None:
    assert tree(**EVERYTHING).find("saml:Subject", NS) is None


def test_every_option_is_in_its_place() -> None:
    root = tree(**EVERYTHING)
    assert (root.get("ForceAuthn"), root.get("IsPassive")) == ("true", "true")
    assert root.get("ProviderName") == "Bürgeramt <&>"
    policy = root.find("samlp:NameIDPolicy", NS)
    assert policy is not None
    assert dict(policy.attrib.items()) == {"Format": PERSISTENT, "AllowCreate": "true"}
    contexts = root.find("samlp:RequestedAuthnContext", NS)
    assert contexts is not None
    assert (contexts.get("Comparison"), [found.text for found in contexts]) == ("minimum", ["urn:mfa", "urn:password"])
    scoping = root.find("samlp:Scoping", NS)
    assert scoping is not None
    assert scoping.get("ProxyCount") == "0"
    entries = scoping.findall("samlp:IDPList/samlp:IDPEntry", NS)
    assert [entry.get("ProviderID") for entry in entries] == ["https://one.example/", "urn:two"]


def test_a_transient_name_takes_no_allow_create() -> None:
    policy = tree(name_id_policy=names.TRANSIENT_FORMAT).find("samlp:NameIDPolicy", NS)
    assert policy is not None
    assert dict(policy.attrib.items()) == {"Format": names.TRANSIENT_FORMAT}


def test_what_was_asked_is_read_back() -> None:
    assert read_request(written(**EVERYTHING)) == SentRequest("_1", True, ("urn:mfa", "urn:password"), "minimum")
    assert read_request(written()) == SentRequest("_1")


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"no XML",
        b"<a>",
        b"<a/>",
        b'<a ID=""/>',
        b'<a ID="' + b"x" * 65 + b'"/>',
        b'<!DOCTYPE a [<!ENTITY x "_1">]><a ID="&x;"/>',
        b'<a ID="_\xe2\x80\xae1"/>',
    ],
)
def test_what_names_no_usable_id_is_not_remembered(xml: bytes) -> None:
    assert read_request(xml).id == ""


def test_an_id_begins_with_an_underscore_whatever_the_random_bytes() -> None:
    assert request_id(b"\x12" * 20) == "_" + "12" * 20
    with pytest.raises(ValueError, match="160"):
        request_id(b"short")


@attack("RPL-10", "guessing the ID of the next request from 10 000 earlier ones")
def test_ids_cannot_be_guessed() -> None:
    made = {request_id(secrets.token_bytes(20)) for _ in range(10_000)}
    assert len(made) == 10_000
    assert all(len(identifier) == 41 for identifier in made)
