"""Token encryption: what is posted can be read by the service alone, until it is switched off again."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from demo_directory.browser import Browser
from demo_directory.posted_message import posted_message
from demo_directory.test_fault_pages import britta_id, switch_on
from encryption import own_key
from lxml import etree

from sp.demo_directory.connect import Connected
from sp.demo_directory.desk import Desk
from sp.saml import names
from sp.saml.decryption import encryption_problem, opened

KEY = own_key()
PEM = x509.load_der_x509_certificate(KEY.certificate).public_bytes(Encoding.PEM).decode()


@pytest.fixture
def page(desk: Desk, connected: Connected) -> str:
    """The address of the page "Token encryption"."""
    assert connected.issuer
    return f"/portal/directory/applications/{desk.store.applications()[0].object_id}/token-encryption"


def sealed_in(browser: Browser, application_path: str) -> etree._Element | None:
    root = etree.fromstring(posted_message(browser.open(application_path).text))
    return root.find(names.ENCRYPTED_ASSERTION)


def test_the_assertion_is_for_the_service_alone(
    alice: Browser, britta: Browser, page: str, application_path: str
) -> None:
    assert sealed_in(britta, application_path) is None
    alice.open(page)
    assert "Token encryption is off" in alice.text()
    alice.submit(f"{page}/import", pasted=PEM)
    assert "Token encryption is on" in alice.text()
    sealed = sealed_in(britta, application_path)
    assert sealed is not None
    assert encryption_problem(sealed) is None
    assert opened(sealed, names.ASSERTION, (own_key("another"),)) is None
    assertion = opened(sealed, names.ASSERTION, (KEY,))
    assert assertion is not None
    assert "BrittaSimon@contoso.example" in etree.tostring(assertion).decode()
    alice.submit(f"{page}/deactivate")
    assert sealed_in(britta, application_path) is None


def test_a_fault_stays_in_the_open(
    alice: Browser, britta: Browser, desk: Desk, page: str, application_path: str
) -> None:
    alice.open(page)
    alice.submit(f"{page}/import", pasted=PEM)
    assert britta_id(desk)
    switch_on(alice, page.replace("token-encryption", "faults"), "audience")
    assert sealed_in(britta, application_path) is None


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "Choose the service's encryption certificate first"),
        ("hello", "This is not a certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "This is not a certificate"),
        ("A" * 70000, "at most 64 KiB"),
    ],
)
def test_what_is_no_certificate_is_named(alice: Browser, page: str, pasted: str, said: str) -> None:
    alice.open(page)
    alice.submit(f"{page}/import", pasted=pasted)
    assert said in alice.text()
    alice.open(page)
    assert "Token encryption is off" in alice.text()
