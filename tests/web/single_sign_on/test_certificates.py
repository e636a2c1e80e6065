"""The certificate field: read at once, shown back, carried along, replaced, kept, removed. Never a private key."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from browser import Browser
from cast import CONTOSO_ISSUER, NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from responses import Idp

from sp.flows import account_setup
from sp.saml.certificates import IdpCertificate
from sp.store import accounts
from sp.store.engine import Database

PAGE = "/account-manager/business/accounts/single-sign-on"
SAVE = f"{PAGE}/saml"
PREVIEW = f"{PAGE}/certificate"
SUCCESSOR = Idp.make(CONTOSO_ISSUER).with_key("successor")


@pytest.fixture
def form(alice: Browser) -> Browser:
    """Alice's browser after step one."""
    alice.open(PAGE)
    alice.submit(f"{PAGE}/authentication-method", single_sign_on="on")
    return alice


def trusted(database: Database) -> tuple[IdpCertificate, ...]:
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return account_setup.draft_of(session, account).certificates


def preview(browser: Browser, data: bytes = b"", pasted: str = "") -> str:
    """What the piece of page says; its markup is in `browser.page`."""
    if "csrf_token" not in browser.page.text:
        browser.open(PAGE)
    sent = {"csrf_token": browser.token, "certificate_text": pasted}
    files = {"certificate": ("idp.cer", data)} if data else None
    answer = browser.client.post(PREVIEW, data=sent, files=files)
    assert "<html" not in answer.text
    return " ".join(answer.text.split())


def bare_base64(idp: Idp) -> str:
    return base64.b64encode(idp.certificate_der).decode()


def one_line_pem(idp: Idp) -> str:
    return idp.certificate_pem.decode().replace("\n", "")


def test_a_file_is_shown_back_at_once(form: Browser, idp: Idp) -> None:
    shown = preview(form, idp.certificate_der)
    for fact in (
        f"CN={CONTOSO_ISSUER}",
        "RSA 2048 bits",
        idp.certificate.fingerprint,
        "2029-01-31 12:00:00 UTC",
        "2040-01-29 12:00:00 UTC",
        "3650 days",
    ):
        assert fact in shown


def test_looking_at_a_certificate_saves_nothing(form: Browser, idp: Idp, database: Database) -> None:
    preview(form, idp.certificate_der)
    assert trusted(database) == ()


@pytest.mark.parametrize("pasted", [bare_base64, one_line_pem], ids=["base64", "one line"])
def test_pasted_text_is_understood(form: Browser, idp: Idp, pasted: Callable[[Idp], str], database: Database) -> None:
    text = pasted(idp)
    assert idp.certificate.fingerprint in preview(form, pasted=text)
    form.submit(SAVE, issuer=CONTOSO_ISSUER, certificate_text=text)
    assert trusted(database) == (idp.certificate,)


def test_nothing_given_is_answered_with_nothing(form: Browser) -> None:
    assert preview(form) == ""


def test_an_understood_certificate_need_not_be_chosen_again(form: Browser, idp: Idp, database: Database) -> None:
    """A browser forgets a chosen file when a form comes back, so the page carries what was understood."""
    form.submit(SAVE, files={"certificate": ("idp.cer", idp.certificate_pem)}, issuer="")
    assert form.page.status_code == 422
    assert "This certificate was understood. It is saved with the rest of the form." in form.text()
    assert idp.certificate.fingerprint in form.text()
    form.submit(SAVE, issuer=CONTOSO_ISSUER)
    assert "SAML is on" in form.text()
    assert trusted(database) == (idp.certificate,)


def test_pasted_text_stays_when_another_field_is_refused(form: Browser, idp: Idp) -> None:
    form.submit(SAVE, issuer="", certificate_text=one_line_pem(idp))
    assert form.value_of("certificate_text").strip() == one_line_pem(idp)


def test_what_is_carried_along_is_judged_again(form: Browser, database: Database) -> None:
    form.open(PAGE)
    fields = {"csrf_token": form.token, "version": "2", "issuer": CONTOSO_ISSUER, "certificate_carried": "AAAA"}
    assert form.post(SAVE, data=fields).status_code == 422
    assert "This is no certificate." in form.error_at("certificate")
    assert trusted(database) == ()


def test_a_chosen_file_goes_before_the_one_that_is_carried(form: Browser, idp: Idp, database: Database) -> None:
    form.submit(SAVE, files={"certificate": ("idp.cer", idp.certificate_pem)}, issuer="")
    form.submit(SAVE, files={"certificate": ("new.cer", SUCCESSOR.certificate_pem)}, issuer=CONTOSO_ISSUER)
    assert trusted(database) == (SUCCESSOR.certificate,)


def test_a_new_certificate_takes_the_place_of_the_old_one(alice: Browser, connected: Idp, database: Database) -> None:
    alice.open(PAGE)
    assert connected.certificate.fingerprint in alice.text()
    alice.submit(SAVE, files={"certificate": ("new.cer", SUCCESSOR.certificate_pem)})
    assert trusted(database) == (SUCCESSOR.certificate,)


def test_both_are_trusted_while_the_identity_provider_changes_over(
    alice: Browser, connected: Idp, database: Database
) -> None:
    alice.open(PAGE)
    alice.submit(SAVE, files={"certificate": ("new.cer", SUCCESSOR.certificate_pem)}, keep_certificates="on")
    assert trusted(database) == (connected.certificate, SUCCESSOR.certificate)
    alice.open(f"{PAGE}/certificates/{connected.certificate.sha256}/remove")
    assert "Remove the certificate?" in alice.text()
    alice.submit(f"{PAGE}/certificates/{connected.certificate.sha256}/remove")
    assert "The certificate has been removed." in alice.text()
    assert trusted(database) == (SUCCESSOR.certificate,)


def test_saving_without_a_new_one_keeps_the_certificate(alice: Browser, connected: Idp, database: Database) -> None:
    alice.open(PAGE)
    alice.submit(SAVE, sign_in_url="https://idp.contoso.example/other")
    assert trusted(database) == (connected.certificate,)


def test_the_same_certificate_again_changes_nothing(alice: Browser, connected: Idp) -> None:
    alice.open(PAGE)
    alice.submit(SAVE, files={"certificate": ("same.cer", connected.certificate_der)}, keep_certificates="on")
    assert "Nothing was different" in alice.text()


def test_the_only_certificate_cannot_be_removed_while_saml_needs_it(
    alice: Browser, connected: Idp, database: Database
) -> None:
    remove = f"{PAGE}/certificates/{connected.certificate.sha256}/remove"
    alice.open(remove)
    page = alice.submit(remove)
    assert page.status_code == 422
    assert "SAML needs this certificate, the only one." in alice.error_at("certificate")
    assert trusted(database) == (connected.certificate,)


@pytest.mark.usefixtures("connected")
def test_a_certificate_that_is_not_here_cannot_be_removed(alice: Browser) -> None:
    alice.open(PAGE)
    remove = f"{PAGE}/certificates/{SUCCESSOR.certificate.sha256}/remove"
    assert alice.open(remove).status_code == 404
    alice.open(PAGE)
    assert alice.post(remove, data={"csrf_token": alice.token}).status_code == 404


def pkcs8(idp: Idp) -> bytes:
    return idp.key_pem


def encrypted_key(idp: Idp) -> bytes:
    encryption = serialization.BestAvailableEncryption(b"secret")
    return idp.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def key_and_certificate(idp: Idp) -> bytes:
    return idp.certificate_pem + idp.key_pem


def der_key(idp: Idp) -> bytes:
    encoding, kind = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    return idp.key.private_bytes(encoding, kind, serialization.NoEncryption())


def key_store(idp: Idp) -> bytes:
    encryption = serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"idp", idp.key, idp.x509_certificate, None, encryption)


def base64_key(idp: Idp) -> bytes:
    return base64.b64encode(der_key(idp))


def key_labeled_as_certificate(idp: Idp) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der_key(idp)) + b"-----END CERTIFICATE-----\n"


def cut_off_key(idp: Idp) -> bytes:
    return idp.key_pem.replace(b"-----BEGIN PRIVATE KEY-----", b"").replace(b"-----END PRIVATE KEY-----", b"")[:-40]


KEYS = [
    pkcs8,
    encrypted_key,
    key_and_certificate,
    der_key,
    key_store,
    base64_key,
    key_labeled_as_certificate,
    cut_off_key,
]
TEXT_KEYS = [key for key in KEYS if key not in {der_key, key_store}]


@pytest.mark.parametrize("secret", KEYS)
def test_a_private_key_in_a_file_is_neither_kept_nor_shown(
    form: Browser, idp: Idp, database: Database, secret: Callable[[Idp], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    data = secret(idp)
    page = form.submit(SAVE, files={"certificate": ("idp.cer", data)}, issuer=CONTOSO_ISSUER)
    assert page.status_code == 422
    assert form.error_at("certificate")
    assert not holds_a_piece(page.text, data)
    assert not holds_a_piece(preview(form, data), data)
    printed = capsys.readouterr()
    assert not holds_a_piece(printed.out + printed.err, data)
    assert trusted(database) == ()


@pytest.mark.parametrize("secret", TEXT_KEYS)
def test_a_pasted_private_key_is_not_written_back(form: Browser, idp: Idp, secret: Callable[[Idp], bytes]) -> None:
    data = secret(idp)
    page = form.submit(SAVE, certificate_text=data.decode(), issuer=CONTOSO_ISSUER)
    assert page.status_code == 422
    assert form.error_at("certificate")
    assert form.value_of("certificate_text").strip() == ""
    assert not holds_a_piece(page.text, data)


def holds_a_piece(text: str, data: bytes) -> bool:
    """Whether 24 characters in a row of the key's base64 are in the text, whatever its lines are."""
    flat = "".join(text.split())
    secret = "".join(data.decode("latin-1").split()) if data.isascii() else base64.b64encode(data).decode()
    start = secret.find("PRIVATEKEY-----") + len("PRIVATEKEY-----") if "PRIVATEKEY-----" in secret else 0
    body = secret[start:]
    return any(body[at : at + 24] in flat for at in range(100, len(body) - 100, 24))


def test_a_short_slip_stays_to_be_corrected(form: Browser) -> None:
    form.submit(SAVE, certificate_text="see the attached file", issuer=CONTOSO_ISSUER)
    assert form.value_of("certificate_text").strip() == "see the attached file"
    assert "This is no certificate." in form.error_at("certificate")


def test_a_refused_certificate_does_not_hide_other_faults(form: Browser) -> None:
    form.submit(SAVE, certificate_text="garbage", sign_in_url="x")
    assert form.html.xpath("//*[@id='error-summary']//a/@href") == [
        "#field-sign_in_url",
        "#field-issuer",
        "#field-certificate",
    ]


def test_more_than_64_kib_is_refused_with_a_sentence(form: Browser) -> None:
    page = form.submit(SAVE, files={"certificate": ("big.cer", b"0" * (64 * 1024 + 1))}, issuer=CONTOSO_ISSUER)
    assert page.status_code == 422
    assert "larger than 64 KiB" in form.error_at("certificate")


@pytest.mark.parametrize(
    ("days", "warning"),
    [(-1, "It has expired."), (29, "It expires soon."), (400, None)],
)
def test_a_certificate_that_ends_comes_with_a_warning(form: Browser, days: int, warning: str | None) -> None:
    ending = made(not_after=NOW + timedelta(days=days, hours=1))
    shown = preview(form, ending)
    assert ("note is-warning" in shown) is (warning is not None)
    assert (warning or "") in shown


def test_a_certificate_of_the_future_an_authoritys_and_one_signed_with_sha1_come_with_a_warning(form: Browser) -> None:
    assert "It is not valid yet." in preview(form, made(not_before=NOW + timedelta(days=1)))
    assert "It is the certificate of an authority." in preview(form, made(authority=True))
    assert "It is itself signed with SHA-1." in preview(form, SHA1_SIGNED)


def made(
    *,
    not_before: datetime = NOW - timedelta(days=365),
    not_after: datetime = NOW + timedelta(days=365),
    authority: bool = False,
) -> bytes:
    idp = Idp.make(CONTOSO_ISSUER)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "contoso")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.not_valid_before(not_before).not_valid_after(not_after)
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    signed = builder.public_key(idp.key.public_key()).sign(idp.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


# cryptography makes no such certificate any more; this one is openssl's: req -x509 -newkey rsa:2048 -sha1
SHA1_SIGNED = base64.b64decode(
    "MIIDGzCCAgOgAwIBAgIUXAMaJ6rJRzoy77TXIJfJP6h+458wDQYJKoZIhvcNAQEFBQAwHzEdMBsGA1UEAwwUc2hhMS5jb250b3Nv"
    "LmV4YW1wbGUwIBcNMjYxMTIzMDUyMDM1WhgPMjEyNjEwMzAwNTIwMzVaMB8xHTAbBgNVBAMMFHNoYTEuY29udG9zby5leGFtcGxl"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxCnHfrXhz1mBU/5WZfVThSMvsWYW3SFaA13y7f4BdgVQ5TQBs311J7rA"
    "RvmZ8z7q3V4E+2XhV4ejdEyxVbAZKcKr4FwtYLFqj5S9XJyyO5wYCTXjtofdMnx+rtrj4mMmu0kC7m+ezpMpKeBC/cPxHZII0BTn"
    "eVsFfuzRqYZ/Q3XQmQScyk7lbQw+1ac1PxeOPWxSRXWWcxDIDBYXoa9rIstkzZeWoFkBxK6xx1qgl4lbrgrOyhClGeN/W/b9Zzbo"
    "0TuNeuKqMdo4ziVzwYV0glghCTuD0eTWCJpZK7zpTix7iVH12xNe6qHzszbE0UK5P9/TJii0fV+zo5jqNHd11wIDAQABo00wSzAd"
    "BgNVHQ4EFgQUuUTWkCPNrQKmxlfDGIUHGRMz4XwwHwYDVR0jBBgwFoAUuUTWkCPNrQKmxlfDGIUHGRMz4XwwCQYDVR0TBAIwADAN"
    "BgkqhkiG9w0BAQUFAAOCAQEAYKQnJNlfrjYLn3OerF8STnOrLkZJ7CYdh3RnSk5Zul1FOY2PGgz1D3yU/7Byohq4DptIdCS+9jQh"
    "ehp8u3BiLcVkfco73BCeCgUHvEnZpHeqVXv4Q0mgU+ol6yl8+ca5n7hjfAWo2D4J8x5vMN3yPcyEXVhyFW0CeVXDq61MlY9Hx5Ry"
    "FdPxb53jpaqkcaBK8ay2qg6pK4H4s8oeMQMWzaZoXv33EPSO2w0Xa5mP3rJmqTr5yGrWN8TyZs4sGnjxJjzVWvdZLpv2NLZkA+MA"
    "rVBjJ+Af+joA+CcHSn6K0tGup5qrGqpqPqxlzIxutRiFANk9eLJHya2w42fMK5lMsA=="
)
