"""The tenant's protocol addresses: a service's request is answered, a bad one explained; sign-out; metadata."""

import base64
import zlib
from urllib.parse import urlencode

import pytest
from demo_directory.browser import ACS_URL, TUTORIAL_REPLY_URL, Browser
from demo_directory.posted_message import posted_form, posted_message, verify_assertion
from lxml import etree

from sp.demo_directory.connect import Connected
from sp.demo_directory.desk import Desk


def request_xml(desk: Desk, issuer: str = ACS_URL, acs_url: str | None = None, **attributes: str) -> bytes:
    """An AuthnRequest (Core 3.4.1) of the local service."""
    named = {
        "ID": "_a1b2c3",
        "Version": "2.0",
        "IssueInstant": "2999-01-01T00:00:00Z",
        "Destination": desk.provider.sign_in_url,
        **({"AssertionConsumerServiceURL": acs_url} if acs_url else {}),
        **attributes,
    }
    protocol, assertion = "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:2.0:assertion"
    root = etree.Element(f"{{{protocol}}}AuthnRequest", named)
    etree.SubElement(root, f"{{{assertion}}}Issuer").text = issuer
    return etree.tostring(root)


def by_redirect(desk: Desk, message: bytes, relay_state: str = "") -> str:
    """The address that carries a request by HTTP-Redirect (Bindings 3.4.4.1)."""
    deflated = zlib.compress(message)[2:-4]
    query = {"SAMLRequest": base64.b64encode(deflated).decode(), "RelayState": relay_state}
    return f"/{desk.tenant.tenant_id}/saml2?{urlencode(query)}"


def test_a_request_is_answered_after_signing_in(alice: Browser, desk: Desk, connected: Connected) -> None:
    alice.open(by_redirect(desk, request_xml(desk), "/reports"))
    assert str(alice.page.url.path) == "/access-panel/sign-in"
    alice.submit(user_name=connected.user_name, password=connected.password)
    form = posted_form(alice.page.text)
    root = etree.fromstring(posted_message(alice.page.text))
    assert (form.action, form.fields["RelayState"]) == (ACS_URL, "/reports")
    assert root.get("InResponseTo") == "_a1b2c3"
    verify_assertion(root, desk.key.certificate_file)


def test_a_posted_request_is_answered_too(britta: Browser, desk: Desk) -> None:
    message = base64.b64encode(request_xml(desk, acs_url=ACS_URL)).decode()
    britta.page = britta.client.post(f"/{desk.tenant.tenant_id}/saml2", data={"SAMLRequest": message})
    assert etree.fromstring(posted_message(britta.page.text)).get("InResponseTo") == "_a1b2c3"


def test_the_addresses_of_the_real_service_name_the_application_too(britta: Browser, desk: Desk) -> None:
    britta.open(by_redirect(desk, request_xml(desk, TUTORIAL_REPLY_URL, TUTORIAL_REPLY_URL)))
    assert posted_form(britta.page.text).action == ACS_URL


def test_a_request_is_answered_once(britta: Browser, desk: Desk) -> None:
    britta.open(by_redirect(desk, request_xml(desk)))
    answered = str(britta.page.url)
    assert britta.open(answered).status_code == 400
    assert "SAMLResponse" not in britta.page.text


def test_an_unknown_service_gets_aadsts700016(britta: Browser, desk: Desk) -> None:
    assert britta.open(by_redirect(desk, request_xml(desk, "urn:unknown"))).status_code == 400
    assert "AADSTS700016: Application with identifier 'urn:unknown' was not found" in britta.text()


def test_mallory_cannot_have_the_answer_sent_elsewhere(britta: Browser, desk: Desk) -> None:
    evil = "https://evil.example/acs"
    assert britta.open(by_redirect(desk, request_xml(desk, acs_url=evil))).status_code == 400
    assert f"AADSTS50011: The reply URL '{evil}'" in britta.text()
    assert "SAMLResponse" not in britta.page.text


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"not xml",
        b"<a/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b"\x00\xff" * 40,
    ],
    ids=["empty", "text", "another root", "entities", "bytes"],
)
def test_what_is_no_request_is_a_page_and_no_crash(britta: Browser, desk: Desk, message: bytes) -> None:
    assert britta.open(by_redirect(desk, message)).status_code == 400
    assert "AADSTS75005" in britta.text()


@pytest.mark.parametrize("parameter", ["%%%", "AAAA", "é", "A" * 60_000])
def test_what_is_not_even_encoded_is_one_too(britta: Browser, desk: Desk, parameter: str) -> None:
    query = urlencode({"SAMLRequest": parameter})
    assert britta.open(f"/{desk.tenant.tenant_id}/saml2?{query}").status_code == 400
    assert "AADSTS75005" in britta.text()


def test_a_post_without_a_request_is_one_too(alice: Browser, desk: Desk) -> None:
    answer = alice.client.post(f"/{desk.tenant.tenant_id}/saml2", data={"RelayState": "x"})
    assert answer.status_code == 400


def test_the_sign_out_address_signs_out_and_says_so(britta: Browser, desk: Desk) -> None:
    assert britta.open(f"/{desk.tenant.tenant_id}/saml2").status_code == 200
    assert "You signed out of your account" in britta.text()
    assert str(britta.open("/access-panel").url.path) == "/access-panel/sign-in"


def test_another_tenant_is_unknown(alice: Browser) -> None:
    assert alice.open("/00000000-0000/saml2").status_code == 404
    assert "AADSTS90002" in alice.text()
    assert alice.open("/00000000/federationmetadata/2007-06/federationmetadata.xml").status_code == 404


def test_the_federation_metadata_names_what_the_pages_show(alice: Browser, desk: Desk) -> None:
    path = f"/{desk.tenant.tenant_id}/federationmetadata/2007-06/federationmetadata.xml"
    assert path in alice.open("/portal/directory/configure").text
    answer = alice.open(path)
    root = etree.fromstring(answer.content)
    names = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}
    assert answer.headers["content-type"].startswith("application/xml")
    assert root.get("entityID") == desk.provider.issuer
    services = root.findall("md:IDPSSODescriptor/md:SingleSignOnService", names)
    assert {service.get("Location") for service in services} == {desk.provider.sign_in_url}
    certificate = root.findtext(".//ds:X509Certificate", namespaces=names) or ""
    assert base64.b64decode(certificate) == desk.key.certificate_der
