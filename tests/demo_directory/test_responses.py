"""The response that the demo directory makes, held against what Azure AD sends. Read with xmlsec and lxml."""

from datetime import UTC, datetime, timedelta

import pytest
import xmlsec
from demo_directory.posted_message import NAMESPACES, one, protocol_schema, text, verify_assertion
from lxml import etree

from sp.demo_directory.identity_provider import IdentityProvider
from sp.demo_directory.keys import SigningKey
from sp.demo_directory.reply_url import Reply
from sp.demo_directory.responses import Subject, make_response

NOW = datetime(2026, 3, 2, 9, 30, 15, 250_000, tzinfo=UTC)
REPLY = Reply("http://localhost:8000/saml2", "urn:8x8:local", mapped=True)
BRITTA = Subject("BrittaSimon@contoso.example", "Britta", "Simon", "Britta Simon", "7d0c8f0e")
WS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
MS = "http://schemas.microsoft.com/identity/claims"


@pytest.fixture(scope="module")
def provider(key_files: SigningKey) -> IdentityProvider:
    return IdentityProvider("http://127.0.0.1:8001", "5f0b9a52", key_files)


@pytest.fixture(scope="module")
def response(provider: IdentityProvider) -> etree._Element:
    signed_in = NOW - timedelta(minutes=20)
    return etree.fromstring(make_response(provider, BRITTA, REPLY, now=NOW, authenticated_at=signed_in))


def attributes(response: etree._Element) -> dict[str, list[str | None]]:
    found = response.findall("saml:Assertion/saml:AttributeStatement/saml:Attribute", NAMESPACES)
    return {item.get("Name", ""): [value.text for value in item] for item in found}


def test_the_assertion_is_signed_with_the_certificate(response: etree._Element, key_files: SigningKey) -> None:
    verify_assertion(response, key_files.certificate_file)


def test_a_changed_name_breaks_the_signature(response: etree._Element, key_files: SigningKey) -> None:
    forged = etree.fromstring(etree.tostring(response))
    one(forged, "saml:Assertion/saml:Subject/saml:NameID").text = "Mallory@contoso.example"
    with pytest.raises(xmlsec.Error):
        verify_assertion(forged, key_files.certificate_file)


def test_only_the_assertion_is_signed_by_rsa_sha256_over_exclusive_c14n(response: etree._Element) -> None:
    assert response.find("ds:Signature", NAMESPACES) is None
    info = one(response, "saml:Assertion/ds:Signature/ds:SignedInfo")
    algorithms = [element.get("Algorithm") for element in info.iter() if element.get("Algorithm")]
    assert algorithms == [
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/04/xmlenc#sha256",
    ]
    assert one(info, "ds:Reference").get("URI") == "#" + str(one(response, "saml:Assertion").get("ID"))


def test_it_is_valid_against_the_protocol_schema(response: etree._Element) -> None:
    protocol_schema().assertValid(etree.fromstring(etree.tostring(response)))


def test_issuer_ends_in_a_slash_on_both_levels(response: etree._Element) -> None:
    assert text(response, "saml:Issuer") == "http://127.0.0.1:8001/5f0b9a52/"
    assert text(response, "saml:Assertion/saml:Issuer") == "http://127.0.0.1:8001/5f0b9a52/"


def test_identifiers_begin_with_an_underscore_and_are_new_each_time(provider: IdentityProvider) -> None:
    made = [make_response(provider, BRITTA, REPLY, now=NOW, authenticated_at=NOW) for _ in range(2)]
    roots = [etree.fromstring(message) for message in made]
    identifiers = [str(node.get("ID")) for root in roots for node in (root, one(root, "saml:Assertion"))]
    assert all(identifier.startswith("_") for identifier in identifiers)
    assert len(set(identifiers)) == 4


def test_it_is_addressed_to_the_service(response: etree._Element) -> None:
    confirmation = one(response, "saml:Assertion/saml:Subject/saml:SubjectConfirmation")
    assert response.get("Destination") == REPLY.acs_url
    assert one(confirmation, "saml:SubjectConfirmationData").get("Recipient") == REPLY.acs_url
    assert confirmation.get("Method") == "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    audience = "saml:Assertion/saml:Conditions/saml:AudienceRestriction/saml:Audience"
    assert text(response, audience) == "urn:8x8:local"


def test_it_is_valid_for_seventy_minutes_by_the_clock_passed_in(response: etree._Element) -> None:
    conditions = one(response, "saml:Assertion/saml:Conditions")
    data = one(response, "saml:Assertion/saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData")
    assert response.get("IssueInstant") == "2026-03-02T09:30:15.250Z"
    assert conditions.get("NotBefore") == "2026-03-02T09:25:15.250Z"
    assert conditions.get("NotOnOrAfter") == "2026-03-02T10:35:15.250Z"
    assert data.get("NotOnOrAfter") == "2026-03-02T10:35:15.250Z"
    assert data.get("NotBefore") is None


def test_it_says_how_and_when_britta_signed_in(response: etree._Element) -> None:
    statement = one(response, "saml:Assertion/saml:AuthnStatement")
    assert statement.get("AuthnInstant") == "2026-03-02T09:10:15.250Z"
    assert statement.get("SessionIndex")
    assert text(statement, "saml:AuthnContext/saml:AuthnContextClassRef").endswith(":ac:classes:Password")


def test_name_identifier_and_claims_are_azure_ads(response: etree._Element) -> None:
    name = one(response, "saml:Assertion/saml:Subject/saml:NameID")
    assert name.text == "BrittaSimon@contoso.example"
    assert name.get("Format") == "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    assert attributes(response) == {
        f"{MS}/tenantid": ["5f0b9a52"],
        f"{MS}/objectidentifier": ["7d0c8f0e"],
        f"{MS}/displayname": ["Britta Simon"],
        f"{WS}/givenname": ["Britta"],
        f"{WS}/surname": ["Simon"],
        f"{WS}/emailaddress": ["BrittaSimon@contoso.example"],
        f"{WS}/name": ["BrittaSimon@contoso.example"],
    }


def test_somebody_without_a_last_name_has_no_such_claim(provider: IdentityProvider) -> None:
    nameless = Subject("Cher@contoso.example", "Cher", "", "Cher", "1")
    message = make_response(provider, nameless, REPLY, now=NOW, authenticated_at=NOW)
    assert f"{WS}/surname" not in attributes(etree.fromstring(message))


def test_an_unsolicited_response_answers_no_request(response: etree._Element) -> None:
    assert b"InResponseTo" not in etree.tostring(response)


def test_an_answer_names_the_request_twice(provider: IdentityProvider) -> None:
    message = make_response(provider, BRITTA, REPLY, now=NOW, authenticated_at=NOW, in_response_to="_request")
    root = etree.fromstring(message)
    data = one(root, "saml:Assertion/saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData")
    assert (root.get("InResponseTo"), data.get("InResponseTo")) == ("_request", "_request")


def test_markup_in_a_name_stays_text(provider: IdentityProvider, key_files: SigningKey) -> None:
    mallory = Subject("m@contoso.example", "<saml:Audience>", "O'Neil & Søn", "”M“", "1")
    root = etree.fromstring(make_response(provider, mallory, REPLY, now=NOW, authenticated_at=NOW))
    verify_assertion(root, key_files.certificate_file)
    assert attributes(root)[f"{WS}/givenname"] == ["<saml:Audience>"]
    assert attributes(root)[f"{WS}/surname"] == ["O'Neil & Søn"]


def test_nothing_is_remembered_of_the_responses_made(provider: IdentityProvider) -> None:
    make_response(provider, BRITTA, REPLY, now=NOW, authenticated_at=NOW)
    assert provider.server.session_db.assertion == {}
