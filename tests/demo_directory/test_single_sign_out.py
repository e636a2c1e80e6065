"""Sign-out from both sides: what the directory asks of the service, and how it answers what the service asks."""

import base64
import zlib
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from demo_directory.browser import ACS_URL, Browser, parsed
from demo_directory.posted_message import one, posted_message, protocol_schema, text
from lxml import etree

from sp.demo_directory.connect import Connected
from sp.demo_directory.desk import Desk
from sp.demo_directory.store import NewPerson

SLO_URL = "http://localhost:8000/saml2/slo"
PROTOCOL, ASSERTION = "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:2.0:assertion"
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"


def carried(address: str, parameter: str, certificate: Path) -> etree._Element:
    """The message in an address of the service, whose query the directory's key must have signed."""
    parts = urlsplit(address)
    assert parts._replace(query="").geturl() == SLO_URL
    octets, _, signature = parts.query.partition("&Signature=")
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(unquote(signature)), octets.encode(), padding.PKCS1v15(), hashes.SHA256())
    message = zlib.decompress(base64.b64decode(parse_qs(parts.query)[parameter][0]), -15)
    root = etree.fromstring(message)
    assert protocol_schema().validate(root)
    return root


def sent_here(desk: Desk, name: str, root: etree._Element, relay_state: str = "") -> str:
    """The address by which the service brings a message to the directory."""
    value = base64.b64encode(zlib.compress(etree.tostring(root))[2:-4]).decode()
    return f"/{desk.tenant.tenant_id}/saml2?{urlencode({name: value, 'RelayState': relay_state})}"


def request(name: str, issuer: str = ACS_URL) -> etree._Element:
    given = {"ID": "_ours", "Version": "2.0", "IssueInstant": "2999-01-01T00:00:00Z"}
    root = etree.Element(f"{{{PROTOCOL}}}LogoutRequest", given)
    etree.SubElement(root, f"{{{ASSERTION}}}Issuer").text = issuer
    etree.SubElement(root, f"{{{ASSERTION}}}NameID").text = name
    return root


def response(status: str) -> etree._Element:
    given = {"ID": "_ours", "Version": "2.0", "IssueInstant": "2999-01-01T00:00:00Z"}
    root = etree.Element(f"{{{PROTOCOL}}}LogoutResponse", given)
    element = etree.SubElement(root, f"{{{PROTOCOL}}}Status")
    etree.SubElement(element, f"{{{PROTOCOL}}}StatusCode", Value=STATUS + status)
    return root


def is_signed_in(browser: Browser) -> bool:
    return str(browser.open("/access-panel").url.path) == "/access-panel"


def continue_address(browser: Browser) -> str:
    (address,) = parsed(browser.page.text).xpath("//main//a/@href")
    assert f"0; url={address}" in parsed(browser.page.text).xpath("//meta[@http-equiv='refresh']/@content")
    return str(address)


def test_signing_out_asks_for_the_sessions_that_were_opened(britta: Browser, desk: Desk, application_path: str) -> None:
    opened = []
    for _ in range(2):
        britta.open(application_path)
        opened.append(one(etree.fromstring(posted_message(britta.page.text)), "saml:Assertion").get("ID"))
    britta.open("/access-panel")
    britta.submit("/access-panel/sign-out")
    root = carried(continue_address(britta), "SAMLRequest", desk.key.certificate_file)
    assert sorted(element.text or "" for element in root.findall(f"{{{PROTOCOL}}}SessionIndex")) == sorted(
        map(str, opened)
    )
    assert text(root, "saml:NameID") == "BrittaSimon@contoso.example"
    assert text(root, "saml:Issuer") == desk.provider.issuer
    assert not is_signed_in(britta)


def test_whoever_opened_nothing_is_signed_out_at_once(britta: Browser) -> None:
    britta.submit("/access-panel/sign-out")
    assert "may still be signed in" in britta.text()
    assert not is_signed_in(britta)


@pytest.mark.parametrize(
    ("status", "words"), [("Success", "and of the application"), ("Requester", "answered Requester")]
)
def test_the_services_answer_is_told(alice: Browser, desk: Desk, status: str, words: str) -> None:
    alice.open(sent_here(desk, "SAMLResponse", response(status)))
    assert words in alice.text()


@pytest.mark.parametrize("value", ["", "%", "AAAA", "é"])
def test_an_answer_that_is_none_is_no_crash(alice: Browser, desk: Desk, value: str) -> None:
    alice.open(f"/{desk.tenant.tenant_id}/saml2?{urlencode({'SAMLResponse': value})}")
    assert "You signed out of your account" in alice.text()


def test_a_request_of_the_service_ends_the_session_and_is_answered(britta: Browser, desk: Desk) -> None:
    britta.client.follow_redirects = False
    answer = britta.open(sent_here(desk, "SAMLRequest", request("BrittaSimon@contoso.example"), "state"))
    root = carried(answer.headers["location"], "SAMLResponse", desk.key.certificate_file)
    assert root.get("InResponseTo") == "_ours"
    assert one(root, "samlp:Status/samlp:StatusCode").get("Value") == STATUS + "Success"
    assert parse_qs(urlsplit(answer.headers["location"]).query)["RelayState"] == ["state"]
    britta.client.follow_redirects = True
    assert not is_signed_in(britta)


def test_a_request_for_somebody_else_is_aadsts50070(britta: Browser, desk: Desk) -> None:
    britta.client.follow_redirects = False
    answer = britta.open(sent_here(desk, "SAMLRequest", request("Charlie@contoso.example")))
    root = carried(answer.headers["location"], "SAMLResponse", desk.key.certificate_file)
    assert one(root, "samlp:Status/samlp:StatusCode").get("Value") == STATUS + "Requester"
    assert "AADSTS50070" in text(root, "samlp:Status/samlp:StatusMessage")
    britta.client.follow_redirects = True
    assert is_signed_in(britta)


def test_nobody_is_signed_in_any_more(alice: Browser, desk: Desk, connected: Connected) -> None:
    alice.client.follow_redirects = False
    answer = alice.open(sent_here(desk, "SAMLRequest", request(connected.user_name)))
    root = carried(answer.headers["location"], "SAMLResponse", desk.key.certificate_file)
    assert one(root, "samlp:Status/samlp:StatusCode").get("Value") == STATUS + "Success"


def test_an_unknown_service_gets_aadsts700016_and_no_answer(britta: Browser, desk: Desk) -> None:
    page = britta.open(sent_here(desk, "SAMLRequest", request("BrittaSimon@contoso.example", "urn:unknown")))
    assert (page.status_code, "AADSTS700016" in britta.text()) == (400, True)
    assert is_signed_in(britta)


def test_mallory_cannot_choose_where_the_answer_goes(britta: Browser, desk: Desk) -> None:
    """The address is the settings', whatever a message says."""
    message = request("BrittaSimon@contoso.example")
    message.set("Destination", "https://evil.example/")
    britta.client.follow_redirects = False
    answer = britta.open(sent_here(desk, "SAMLRequest", message))
    assert answer.headers["location"].startswith(SLO_URL)


def test_other_sessions_are_not_asked_for(
    britta: Browser, alice: Browser, desk: Desk, connected: Connected, application_path: str
) -> None:
    alice.open("/access-panel/sign-in")
    alice.submit(user_name=connected.user_name, password=connected.password)
    alice.open(application_path)
    theirs = one(etree.fromstring(posted_message(alice.page.text)), "saml:Assertion").get("ID")
    britta.open(application_path)
    britta.open("/access-panel")
    britta.submit("/access-panel/sign-out")
    root = carried(continue_address(britta), "SAMLRequest", desk.key.certificate_file)
    assert theirs not in [element.text for element in root.findall(f"{{{PROTOCOL}}}SessionIndex")]
    assert is_signed_in(alice)


def test_who_is_deleted_leaves_nothing_behind(desk: Desk, britta: Browser, application_path: str) -> None:
    britta.open(application_path)
    person = desk.store.person_named("BrittaSimon")
    assert person is not None
    desk.store.delete_person(person)
    assert not is_signed_in(britta)
    again = NewPerson("BrittaSimon", "Britta", "Simon", "Britta Simon", "User", "x")
    assert desk.store.add_person(again, desk.clock())
