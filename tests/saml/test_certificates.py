"""Whatever people paste or upload is read as the one certificate it is, or refused with a sentence of its own."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cast import NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs7, pkcs12
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from responses import Idp, expectations, judged, private_key, trust

from sp.diagnosis.sides import sides
from sp.saml.certificates import read_certificate, stored_certificate
from sp.saml.errors import CertificateError

IDP = Idp.make()
DER = IDP.certificate_der
PEM = IDP.certificate_pem.decode()
BARE = base64.b64encode(DER).decode()
BODY = "".join(PEM.splitlines()[1:-1])

READABLE = {
    "PEM": PEM.encode(),
    "PEM with CRLF": PEM.replace("\n", "\r\n").encode(),
    "PEM with a byte order mark": b"\xef\xbb\xbf" + PEM.encode(),
    "PEM in UTF-16, as Notepad saves it": PEM.encode("utf-16"),
    "PEM with text around it": b"Bag Attributes\n  friendlyName: x\n" + PEM.encode() + b"\nbye\n",
    "PEM on one line": f"-----BEGIN CERTIFICATE-----{BODY}-----END CERTIFICATE-----".encode(),
    "PEM on one line with spaces": PEM.replace("\n", " ").encode(),
    "PEM with the two characters of a line end": PEM.replace("\n", "\\n").encode(),
    "PEM with an old label": PEM.replace("CERTIFICATE", "X509 CERTIFICATE").encode(),
    "DER": DER,
    "bare base64": BARE.encode(),
    "bare base64 in lines": base64.encodebytes(DER),
    "bare base64 with CRLF and a byte order mark": b"\xef\xbb\xbf" + base64.encodebytes(DER).replace(b"\n", b"\r\n"),
    "bare base64 with spaces": f"  {BARE[:100]} {BARE[100:]}\t".encode(),
}


@pytest.mark.parametrize("story", READABLE)
def test_readable(story: str) -> None:
    assert read_certificate(READABLE[story]).der == DER


def test_what_is_told_about_it() -> None:
    certificate = read_certificate(PEM.encode())
    assert certificate.subject == "CN=https://idp.contoso.example/"
    assert certificate.issuer == certificate.subject
    assert certificate.key == "RSA 2048 bits"
    assert certificate.serial == 4711
    assert certificate.fingerprint == IDP.x509_certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    assert certificate.not_after == NOW + timedelta(days=3650)
    assert certificate.days_left(NOW) == 3650
    assert certificate.days_left(certificate.not_after + timedelta(hours=1)) == -1
    assert not certificate.is_ca
    assert certificate.pem == PEM
    assert stored_certificate(DER) is stored_certificate(bytes(DER))


@pytest.mark.parametrize(
    ("kind", "key"), [("p256", "EC P-256"), ("p384", "EC P-384"), ("p521", "EC P-521"), ("rsa-3072", "RSA 3072 bits")]
)
def test_keys_that_may_sign(kind: str, key: str) -> None:
    assert read_certificate(Idp.make(kind=kind).certificate_der).key == key


def _certificate(key: CertificatePublicKeyTypes, signer: rsa.RSAPrivateKey | None = None) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1)).public_key(key)
    signed = builder.sign(signer or _rsa(), hashes.SHA256())
    return signed.public_bytes(Encoding.DER)


def _rsa() -> rsa.RSAPrivateKey:
    key = private_key("https://idp.contoso.example/")
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _key(encoding: Encoding, layout: PrivateFormat, password: bytes | None = None, kind: str = "rsa") -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private_key("https://idp.contoso.example/", kind).private_bytes(encoding, layout, encryption)


def _request() -> x509.CertificateSigningRequest:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(_rsa(), hashes.SHA256())


def _bundle(encoding: Encoding) -> bytes:
    return pkcs7.serialize_certificates([IDP.x509_certificate], encoding)


def _store() -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"idp",
        _rsa(),
        IDP.x509_certificate,
        None,
        serialization.BestAvailableEncryption(b"secret"),
    )


def _public(key: object) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]


PKCS8, PKCS1 = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
METADATA = '<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"/>'

# bytes, a phrase of the sentence
REFUSED = {
    "a private key, PKCS#8 PEM": (_key(Encoding.PEM, PKCS8), "private key, not a certificate"),
    "a private key, PKCS#1 PEM": (_key(Encoding.PEM, PKCS1), "private key, not a certificate"),
    "a private key, encrypted PEM": (_key(Encoding.PEM, PKCS8, b"x"), "private key, not a certificate"),
    "a private key, EC PEM": (_key(Encoding.PEM, PKCS1, kind="p256"), "private key, not a certificate"),
    "a private key, PKCS#8 DER": (_key(Encoding.DER, PKCS8), "private key, not a certificate"),
    "a private key, PKCS#1 DER": (_key(Encoding.DER, PKCS1), "private key, not a certificate"),
    "a private key, EC DER": (_key(Encoding.DER, PKCS1, kind="p256"), "private key, not a certificate"),
    "a private key, encrypted DER": (_key(Encoding.DER, PKCS8, b"x"), "private key, not a certificate"),
    "a private key, bare base64": (base64.b64encode(_key(Encoding.DER, PKCS8)), "private key, not a certificate"),
    "a private key, cut off": (_key(Encoding.PEM, PKCS8)[:200], "private key, not a certificate"),
    "a certificate with its key": (PEM.encode() + _key(Encoding.PEM, PKCS8), "together with a private key"),
    "a key with its certificate": (_key(Encoding.PEM, PKCS1) + PEM.encode(), "together with a private key"),
    "a request, PEM": (_request().public_bytes(Encoding.PEM), "certificate request"),
    "a request, DER": (_request().public_bytes(Encoding.DER), "certificate request"),
    "PKCS#7, PEM": (_bundle(Encoding.PEM), "PKCS#7"),
    "PKCS#7, DER": (_bundle(Encoding.DER), "PKCS#7"),
    "PKCS#12": (_store(), "key store"),
    "a Java key store": (b"\xfe\xed\xfe\xed\x00\x00\x00\x02" + b"\x00" * 50, "key store"),
    "a chain": (PEM.encode() * 3, "3 certificates"),
    "a public key, PEM": (
        private_key("x").public_key().public_bytes(Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        "public key",
    ),
    "a public key, DER": (_public(private_key("x")), "public key"),
    "another kind of PEM": (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "X509 CRL"),
    "PEM without its end": (PEM.encode()[:-40], "END line"),
    "PEM with a damaged middle": (PEM.replace(BODY[70:80], "!!!!", 1).encode(), "no certificate"),
    "nothing": (b"", "empty"),
    "white space": (b" \r\n\t", "empty"),
    "a web page": (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
    "metadata": (METADATA.encode(), "metadata"),
    "another XML document": (b"<a/>", "XML document"),
    "garbage": (b"hello, certificate", "no certificate"),
    "a PDF": (b"%PDF-1.7 \x00\xff", "no certificate"),
    "more than 64 KiB": (PEM.encode() + b"\n" * 65536, "64 KiB"),
    "DER cut off": (DER[:-10], "no certificate"),
    "DER with something behind it": (DER + b"x", "no certificate"),
    "RSA 1024": (_certificate(private_key("x", "rsa-1024").public_key()), "1024 bits"),
    "RSA with the exponent 3": (_certificate(rsa.generate_private_key(3, 2048).public_key()), "exponent 3"),
    "DSA": (_certificate(dsa.generate_private_key(2048).public_key()), "DSA"),
    "Ed25519": (_certificate(ed25519.Ed25519PrivateKey.generate().public_key()), "Ed25519"),
    "a curve that nobody uses here": (_certificate(ec.generate_private_key(ec.SECP256K1()).public_key()), "secp256k1"),
}


@pytest.mark.parametrize("story", REFUSED)
def test_refused_with_its_own_sentence(story: str) -> None:
    data, phrase = REFUSED[story]
    with pytest.raises(CertificateError) as refusal:
        read_certificate(data)
    assert phrase in str(refusal.value)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("story", [story for story in REFUSED if "key" in story])
def test_no_refusal_shows_a_private_key(story: str) -> None:
    data, _ = REFUSED[story]
    with pytest.raises(CertificateError) as refusal:
        read_certificate(data)
    error: BaseException | None = refusal.value
    while error is not None:
        assert data.decode("latin-1")[40:72] not in repr(error)
        assert error.__suppress_context__ or error.__context__ is None
        error = error.__cause__


def test_rsa_beyond_8192_bits_is_refused() -> None:
    large = rsa.RSAPublicNumbers(65537, (1 << 8200) + 1).public_key()
    with pytest.raises(CertificateError, match="At most 8192"):
        read_certificate(_certificate(large))


@given(st.binary(max_size=300))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    for candidate in (data, b"\x30" + data, b"-----BEGIN CERTIFICATE-----" + data + b"-----END CERTIFICATE-----"):
        try:
            read_certificate(candidate)
        except CertificateError:
            continue


@given(st.integers(0, len(DER) - 1), st.integers(1, 255))
def test_a_changed_byte_never_crashes(at: int, change: int) -> None:
    changed = bytearray(DER)
    changed[at] ^= change
    try:
        certificate = read_certificate(bytes(changed))
    except CertificateError:
        return
    assert certificate.subject.isprintable()


# One byte of the subject, the serial number, the version: what the library warns of or refuses in its own way.
@pytest.mark.parametrize("at", range(8, 40))
def test_a_changed_head_never_crashes(at: int) -> None:
    for change in (1, 2, 3, 4, 0x40, 0x80, 0xFF):
        changed = bytearray(DER)
        changed[at] ^= change
        try:
            read_certificate(bytes(changed))
        except CertificateError:
            continue


def test_a_negative_serial_number_is_refused() -> None:
    at = DER.index(b"\x02\x02\x12\x67") + 2  # 4711
    negative = DER[:at] + b"\xf2" + DER[at + 1 :]
    with pytest.raises(CertificateError, match="negative"):
        read_certificate(negative)


def test_a_weak_key_that_was_stored_verifies_nothing() -> None:
    weak = Idp.make(kind="rsa-1024")
    assert "1024" in weak.certificate.weakness
    report = judged(weak.response(), expectations(weak)).report
    assert report.failed == ("signing_key",)
    held = expectations(IDP, account=trust(IDP, certificates=(weak.certificate, IDP.certificate)))
    assert judged(IDP.response(), held).report.accepts


@pytest.mark.parametrize(
    ("begins", "ends", "word"),
    [(-10, 20, "expires in 20 days"), (-10, -1, "expired"), (1, 400, "not valid before"), (-10, 31, None)],
)
def test_dates_are_a_warning_and_no_refusal(begins: int, ends: int, word: str | None) -> None:
    dated = Idp(
        IDP.entity_id, IDP.key_name, not_before=NOW + timedelta(days=begins), not_after=NOW + timedelta(days=ends)
    )
    report = judged(dated.response(), expectations(dated)).report
    assert report.accepts
    assert report.warnings == (("signing_key",) if word else ())
    assert (word or "") in sides(report.row("signing_key")).received
