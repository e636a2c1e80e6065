"""What Mallory or a hurried administrator uploads in place of a certificate (CRT): refused, and nothing is kept."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

import pytest
from attack import attack
from attacks.traces import Traces, accepted, configure, refused, send
from browser import Browser
from cast import CONTOSO_ISSUER, FABRIKAM_ISSUER, NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID
from responses import Idp, private_key
from saml.attacks.forgeries import AUTHORITY, rsa_key

from sp.flows import account_setup
from sp.flows.account_setup import Invalid
from sp.saml.certificates import IdpCertificate
from sp.store import accounts
from sp.store.engine import Database
from sp.web.state import Service

PAGE = "/account-manager/business/accounts/single-sign-on"
SAVE = f"{PAGE}/saml"
IDP = Idp.make()
DER, PEM = IDP.certificate_der, IDP.certificate_pem
AUTHORITY_PEM = x509.load_der_x509_certificate(AUTHORITY).public_bytes(serialization.Encoding.PEM)


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


def certificate(key: CertificatePublicKeyTypes, digest: hashes.HashAlgorithm | None = None) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1).public_key(key)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=400))
    signed = builder.sign(rsa_key("authority"), digest or hashes.SHA256())  # type: ignore[arg-type]
    return signed.public_bytes(serialization.Encoding.DER)


# Certificates whose bytes are wrong: written with a few lines of DER (X.690, 8.1).


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 128:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def with_public_key(spki: bytes) -> bytes:
    """The genuine certificate with another SubjectPublicKeyInfo."""
    genuine = IDP.x509_certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    inner = IDP.x509_certificate.tbs_certificate_bytes
    body = inner[4:].replace(genuine, spki)  # SEQUENCE with a length of two bytes
    rest = DER[4 + len(inner) :]
    return tlv(0x30, tlv(0x30, body), rest)


EC_KEY = bytes.fromhex("06072a8648ce3d0201")
P256 = bytes.fromhex("06082a8648ce3d030107")
P192 = bytes.fromhex("06082a8648ce3d030101")


def ec_key(curve: bytes, point: bytes) -> bytes:
    return tlv(0x30, tlv(0x30, EC_KEY, curve), tlv(0x03, b"\x00", b"\x04", point))


@lru_cache(maxsize=1)
def explicit_parameters() -> bytes:
    """P-256 by its numbers and with a generator of Mallory's: under it, she knows the private key (CVE-2020-0601)."""
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    point = numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    field = tlv(0x30, bytes.fromhex("06072a8648ce3d0101"), tlv(0x02, b"\x00" + prime.to_bytes(32)))
    curve = tlv(0x30, tlv(0x04, (prime - 3).to_bytes(32)), tlv(0x04, b.to_bytes(32)))
    generator, size = tlv(0x04, b"\x04" + point), tlv(0x02, b"\x00" + order.to_bytes(32))
    parameters = tlv(0x30, b"\x02\x01\x01", field, curve, generator, size, b"\x02\x01\x01")
    return ec_key(parameters, point)


def rsa_spki(modulus: int, exponent: int) -> bytes:
    def integer(value: int) -> bytes:
        return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1))

    algorithm = tlv(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return tlv(0x30, algorithm, tlv(0x03, b"\x00", tlv(0x30, integer(modulus), integer(exponent))))


MODULUS = rsa_key("mallory").public_key().public_numbers().n

# id, story, bytes, a phrase of the sentence at the field
REFUSED: tuple[tuple[str, str, Callable[[], bytes], str], ...] = (
    ("CRT-02", "a certificate with its private key", lambda: PEM + IDP.key_pem, "private key"),
    ("CRT-02 first", "the private key first", lambda: IDP.key_pem + PEM, "private key"),
    ("CRT-03", "a chain", lambda: PEM + AUTHORITY_PEM, "2 certificates"),
    ("CRT-03 three", "a chain of three", lambda: PEM * 3, "3 certificates"),
    ("CRT-06", "garbage", lambda: b"hello", "no certificate"),
    ("CRT-06 page", "a page that reports an error", lambda: b"<!DOCTYPE html><html>403</html>", "web page"),
    ("CRT-06 PDF", "a PDF", lambda: b"%PDF-1.7\x00\xff", "no certificate"),
    ("CRT-06 large", "100 KB", lambda: PEM + b"\n" * 100_000, "64 KiB"),
    (
        "CRT-10",
        "RSA with 1024 bits",
        lambda: certificate(private_key("weak", "rsa-1024").public_key()),
        "1024 bits",
    ),
    ("CRT-10 512", "RSA with 512 bits", lambda: with_public_key(rsa_spki(MODULUS >> 1536 | 1, 65537)), "bits"),
    ("CRT-10 16384", "RSA with 16 384 bits", lambda: with_public_key(rsa_spki((1 << 16383) | MODULUS, 65537)), "bits"),
    ("CRT-10 e3", "RSA with the exponent 3", lambda: with_public_key(rsa_spki(MODULUS, 3)), "exponent 3"),
    ("CRT-10 e1", "RSA with the exponent 1", lambda: with_public_key(rsa_spki(MODULUS, 1)), ""),
    ("CRT-10 even", "RSA with an even exponent", lambda: with_public_key(rsa_spki(MODULUS, 65538)), ""),
    ("CRT-11", "EC on P-192", lambda: with_public_key(ec_key(P192, b"\x01" * 48)), ""),
    ("CRT-11 explicit", "EC with parameters of its own", lambda: with_public_key(explicit_parameters()), ""),
    ("CRT-11 point", "a point that is not on the curve", lambda: with_public_key(ec_key(P256, b"\x01" * 64)), ""),
    ("CRT-11 zero", "the point at infinity", lambda: with_public_key(ec_key(P256, bytes(64))), ""),
    ("CRT-11 DSA", "a DSA key", lambda: certificate(dsa.generate_private_key(2048).public_key()), "DSA"),
    ("CRT-11 Ed25519", "Ed25519", lambda: certificate(ed25519.Ed25519PrivateKey.generate().public_key()), "Ed25519"),
    ("CRT-16", "something behind the certificate", lambda: DER + b"x", "no certificate"),
    ("CRT-16 cut", "a certificate cut off", lambda: DER[:-1], "no certificate"),
    (
        "CRT-16 length",
        "a length that is far too large",
        lambda: b"\x30\x84\xff\xff\xff\xff" + DER[4:],
        "no certificate",
    ),
    ("CRT-16 endless", "an indefinite length", lambda: b"\x30\x80" + DER[4:] + b"\x00\x00", "no certificate"),
    (
        "CRT-16 negative",
        "a negative serial number",
        lambda: DER.replace(b"\x02\x02\x12\x67", b"\x02\x02\x92\x67", 1),
        "",
    ),
    ("CRT-16 deep", "ten thousand nested sequences", lambda: b"\x30\x80" * 10_000, "no certificate"),
)


@pytest.mark.parametrize(
    ("data", "phrase"),
    [pytest.param(data, phrase, id=name, marks=attack(name, story)) for name, story, data, phrase in REFUSED],
)
def test_it_is_refused_in_place(data: Callable[[], bytes], phrase: str, form: Browser, database: Database) -> None:
    sent = data()
    assert sent != DER
    page = form.submit(SAVE, files={"certificate": ("idp.cer", sent)}, issuer=CONTOSO_ISSUER)
    assert page.status_code == 422
    assert phrase in form.error_at("certificate")
    assert form.error_at("certificate").endswith(".")
    assert trusted(database) == ()
    form.submit(SAVE, files={"certificate": ("idp.cer", DER)}, issuer=CONTOSO_ISSUER)
    assert trusted(database) == (IDP.certificate,)


FINE: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
    ("CRT-04", "DER", lambda: DER),
    ("CRT-05", "bare base64", lambda: base64.b64encode(DER)),
    ("CRT-05 lines", "bare base64 in lines of Windows", lambda: base64.encodebytes(DER).replace(b"\n", b"\r\n")),
    ("CRT-05 mark", "PEM behind a mark", lambda: b"\xef\xbb\xbf" + PEM),
    ("CRT-05 16", "PEM in UTF-16", lambda: PEM.decode().encode("utf-16")),
    ("CRT-05 spaces", "PEM on one line", lambda: PEM.replace(b"\n", b" ")),
)


@pytest.mark.parametrize(
    "data", [pytest.param(data, id=name, marks=attack(name, story, count=0)) for name, story, data in FINE]
)
def test_it_is_understood(data: Callable[[], bytes], form: Browser, database: Database) -> None:
    form.submit(SAVE, files={"certificate": ("idp.cer", data())}, issuer=CONTOSO_ISSUER)
    assert trusted(database) == (IDP.certificate,)


@pytest.mark.parametrize(
    "idp",
    [
        pytest.param(
            replace(IDP, not_after=NOW - timedelta(days=1)),
            marks=attack("CRT-08", "an expired certificate: accepted with a warning, since the key is pinned", count=0),
        ),
        pytest.param(
            replace(IDP, not_before=NOW + timedelta(days=1)),
            marks=attack("CRT-09", "a certificate of tomorrow: the same", count=0),
        ),
    ],
    ids=["CRT-08", "CRT-09"],
)
def test_its_dates_are_a_warning(idp: Idp, browser: Browser, service: Service) -> None:
    configure(service, "business", idp)
    answer = send(browser, idp.response())
    accepted(answer)
    assert "signing_key" in answer.json()["warnings"]


@attack("CRT-17", "the only certificate taken away")
def test_no_certificate_means_nobody(browser: Browser, alice: Browser, connected: Idp, traces: Traces) -> None:
    remove = f"{PAGE}/certificates/{connected.certificate.sha256}/remove"
    alice.open(remove)
    assert alice.submit(remove).status_code == 422
    refused(send(browser, connected.with_key("mallory").response()), "signing_key")
    traces.of_one_refusal("signing_key")


@attack("SIG-27", "the key of a certificate that was replaced")
def test_a_replaced_key_is_out_at_once(browser: Browser, connected: Idp, service: Service, database: Database) -> None:
    accepted(send(browser, connected.response()))
    configure(service, "business", connected.with_key("successor"))
    traces = Traces(database)
    refused(send(browser, connected.response()), "signing_key")
    traces.of_one_refusal("signing_key")
    accepted(send(browser, connected.with_key("successor").response()))


@attack("CRT-18", "nine certificates")
def test_there_is_a_most(service: Service) -> None:
    many = tuple(IDP.with_key(f"key {at}", "p256").certificate for at in range(9))
    answer = configure(service, "business", IDP, certificates=many)
    assert isinstance(answer, Invalid)
    assert "at most 8 certificates" in answer.errors["certificates"]


@attack("CRT-20", "a certificate that changes unseen")
def test_a_change_is_written_down(alice: Browser, connected: Idp) -> None:
    """Who, when and which fingerprint, in the list of versions."""
    alice.open(PAGE)
    evil = connected.with_key("mallory")
    alice.submit(SAVE, files={"certificate": ("idp.cer", evil.certificate_der)})
    alice.open(PAGE)
    assert "alice@contoso.example" in alice.text()
    assert "Identity Provider Certificate" in alice.text()
    assert {connected.certificate.sha256, evil.certificate.sha256} <= set(alice.text().split())


@attack("CRT-14", "a certificate that Fabrikam trusts too: each account keeps its own issuer", count=0)
def test_the_same_key_in_two_accounts_mixes_nothing(browser: Browser, connected: Idp, service: Service) -> None:
    shared = Idp(FABRIKAM_ISSUER, connected.key_name)
    configure(service, "fabrikam", shared, provisioning=True)
    accepted(send(browser, connected.response()))
    answer = send(browser, shared.response(name_id="charlie@fabrikam.example"))
    assert answer.json()["username"] == "charlie@fabrikam.example"
    refused(send(browser, shared.response()), "user_link")
