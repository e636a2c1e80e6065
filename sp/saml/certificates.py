"""The certificates of identity providers: what people paste or upload, read, judged and described.

Owns the reading of a certificate and the rule of which keys are strong enough. Never keeps a private key, never
shows one in an error, and never trusts a certificate because of who issued it: an account pins exact keys.
"""

from __future__ import annotations

import binascii
import codecs
import hashlib
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from sp.saml.errors import CertificateError
from sp.saml.report import shown

MAXIMUM_BYTES = 64 * 1024

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)
_WARNINGS_LOCK = threading.Lock()
_DISCLOSED = "It may be known to others now: if it is in use, replace it."
_KEY_STORES = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")


@dataclass(frozen=True, slots=True)
class IdpCertificate:
    """One certificate that an account trusts. Two are equal when their bytes are.

    `sha256` is lower-case hexadecimal without colons; times are aware and in UTC; `weakness` says why the key may
    not verify anything and is empty for a usable one; `public_key` is parsed once, and None for an unusable kind.
    """

    der: bytes
    subject: str = field(compare=False)
    issuer: str = field(compare=False)
    serial: int = field(compare=False)
    key: str = field(compare=False)
    sha256: str = field(compare=False)
    not_before: datetime = field(compare=False)
    not_after: datetime = field(compare=False)
    is_ca: bool = field(compare=False)
    weakness: str = field(compare=False)
    public_key: PublicKey | None = field(compare=False, repr=False)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 fingerprint as tools print it: upper-case pairs with colons between."""
        return bytes.fromhex(self.sha256).hex(":").upper()

    @property
    def pem(self) -> str:
        """The certificate in PEM, as the real service takes it."""
        return pem(self.der)

    def days_left(self, now: datetime) -> int:
        """Whole days until `not_after`; negative once it has passed."""
        return (self.not_after - now).days


def pem(der: bytes) -> str:
    text = binascii.b2a_base64(der, newline=False).decode("ascii")
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def read_certificate(data: bytes) -> IdpCertificate:
    """The one certificate in what somebody pasted or uploaded: PEM, DER or bare base64.

    Raises CertificateError with a sentence that says what it was instead and what to do.
    """
    if len(data) > MAXIMUM_BYTES:
        raise CertificateError("This is larger than 64 KiB and no certificate. Choose the certificate file only.")
    certificate = stored_certificate(_der(data))
    if certificate.weakness:
        raise CertificateError(certificate.weakness)
    if certificate.serial < 0:
        raise CertificateError("The serial number of this certificate is negative, which no standard allows.")
    return certificate


@lru_cache(maxsize=1024)
def stored_certificate(der: bytes) -> IdpCertificate:
    """The certificate of these DER bytes, parsed once per process.

    A key that is too weak is described and not refused: it then verifies nothing. Raises CertificateError.
    """
    try:
        with _quiet():
            return _described(x509.load_der_x509_certificate(der), der)
    except _UNREADABLE:
        raise CertificateError(
            "This looks like a certificate but is damaged. Download it again from the identity provider."
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Oddities that the library only warns of (a serial number of 0, a country of three letters) do not matter here.

    Filters are the process's, so one thread at a time changes them.
    """
    with _WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _described(certificate: x509.Certificate, der: bytes) -> IdpCertificate:
    public_key, key, weakness = _key(certificate)
    return IdpCertificate(
        der=der,
        subject=shown(certificate.subject.rfc4514_string()),
        issuer=shown(certificate.issuer.rfc4514_string()),
        serial=certificate.serial_number,
        key=key,
        sha256=hashlib.sha256(der).hexdigest(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_ca=_is_ca(certificate),
        weakness=weakness,
        public_key=public_key,
    )


def _is_ca(certificate: x509.Certificate) -> bool:
    """Shown and nothing more, so an extension that cannot be read is no reason to refuse a pinned key."""
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return False


def key_usage(certificate: IdpCertificate) -> x509.KeyUsage | None:
    """What a certificate says its key is for (RFC 5280, 4.2.1.3); None where it does not say, or unreadably."""
    with _quiet():
        found = _extension(certificate, x509.KeyUsage)
    return found if isinstance(found, x509.KeyUsage) else None


def named_hosts(certificate: IdpCertificate) -> frozenset[str]:
    """The DNS names that a certificate is made out to, in lower case: its common name and its alternative names."""
    with _quiet():
        read = x509.load_der_x509_certificate(certificate.der)
        names = {str(part.value) for part in read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
        found = _extension(certificate, x509.SubjectAlternativeName)
    if isinstance(found, x509.SubjectAlternativeName):
        names |= set(found.get_values_for_type(x509.DNSName))
    return frozenset(name.lower() for name in names)


def _extension(certificate: IdpCertificate, kind: type[x509.ExtensionType]) -> x509.ExtensionType | None:
    try:
        extensions = x509.load_der_x509_certificate(certificate.der).extensions
        return extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return None


def _key(certificate: x509.Certificate) -> tuple[PublicKey | None, str, str]:
    """The public key, its description and what is wrong with it (SAML2int MD06 and MD07)."""
    try:
        key = certificate.public_key()
    except _UNREADABLE:
        return None, "unknown", "The key in this certificate is of a kind that cannot be used here. Use RSA or ECDSA."
    if isinstance(key, rsa.RSAPublicKey):
        return key, f"RSA {key.key_size} bits", _rsa_weakness(key)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key, f"EC {_CURVES.get(key.curve.name, key.curve.name)}", _curve_weakness(key)
    kind = _kind(key)
    return None, kind, f"This certificate holds a {kind} key, which XML signatures here do not use. Use RSA or ECDSA."


def _kind(key: object) -> str:
    if isinstance(key, dsa.DSAPublicKey):
        return "DSA"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519"
    return type(key).__name__.strip("_").removesuffix("PublicKey")


def _rsa_weakness(key: rsa.RSAPublicKey) -> str:
    exponent = key.public_numbers().e
    if key.key_size < 2048:
        return f"The RSA key in this certificate has {key.key_size} bits. At least 2048 are needed: make a new one."
    if key.key_size > 8192:
        return f"The RSA key in this certificate has {key.key_size} bits. At most 8192 are allowed: make a new one."
    if exponent < 65537 or exponent % 2 == 0:
        return f"The RSA key in this certificate has the exponent {shown(str(exponent))}. Make one with 65537."
    return ""


def _curve_weakness(key: ec.EllipticCurvePublicKey) -> str:
    if key.curve.name in _CURVES:
        return ""
    return f"The key in this certificate is on the curve {key.curve.name}. Use P-256, P-384 or P-521."


def _der(data: bytes) -> bytes:
    """The DER bytes of the one certificate that `data` is or contains."""
    if not data.strip():
        raise CertificateError("This is empty. Choose the certificate file or paste the certificate.")
    if data[:1] == b"\x30" or data.startswith(_KEY_STORES):
        return _checked_der(data)
    return _der_of_text(_text(data))


def _text(data: bytes) -> str:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    return data.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _der_of_text(text: str) -> bytes:
    # Environment variables and JSON carry line ends as two characters.
    text = text.replace("\\r", "\n").replace("\\n", "\n")
    if "PRIVATE KEY" in text:
        _refuse_private_key(bundled="BEGIN CERTIFICATE-" in text or "BEGIN X509 CERTIFICATE-" in text)
    _refuse_markup(text.lstrip())
    if "-----BEGIN" in text:
        return _decoded(_only_certificate_block(text))
    return _checked_der(_decoded(text))


def _refuse_private_key(*, bundled: bool) -> None:
    if bundled:
        raise CertificateError(
            "This holds a certificate together with a private key. Upload the certificate alone; the key was not "
            f"kept. {_DISCLOSED}"
        )
    raise CertificateError(
        "This is a private key, not a certificate. The private key stays at the identity provider; upload its "
        f"certificate. The key was not kept. {_DISCLOSED}"
    )


def _refuse_markup(text: str) -> None:
    start = text[:2048].lower()
    if not start.startswith("<"):
        return
    if "entitydescriptor" in start or "entitiesdescriptor" in start:
        raise CertificateError(
            "This is the identity provider's metadata. Paste the text of the X509Certificate element in it."
        )
    if "<html" in start or "<!doctype html" in start:
        raise CertificateError(
            "This is a web page, perhaps a sign-in page saved instead of the file. Download the certificate again."
        )
    raise CertificateError("This is an XML document, not a certificate. Upload the certificate itself.")


def _only_certificate_block(text: str) -> str:
    """The base64 text of the only PEM block, which must be a certificate."""
    blocks = _BLOCK.findall(text)
    if not blocks:
        raise CertificateError("This begins like PEM but its END line is missing. Paste the whole certificate.")
    labels = [label for label, _ in blocks]
    for label in labels:
        _refuse_label(label)
    if len(blocks) > 1:
        raise CertificateError(
            f"This holds {len(blocks)} certificates. Upload only the one that signs, without those that issued it."
        )
    return str(blocks[0][1])


def _refuse_label(label: str) -> None:
    if label in {"CERTIFICATE", "X509 CERTIFICATE"}:
        return
    if label.endswith("CERTIFICATE REQUEST"):
        raise CertificateError(_REQUEST)
    if label in {"PKCS7", "CMS"}:
        raise CertificateError(_PKCS7)
    if label.endswith("PUBLIC KEY"):
        raise CertificateError(_PUBLIC_KEY)
    raise CertificateError(f'This is PEM of the kind "{label}", not a certificate. Upload the certificate.')


_REQUEST = (
    "This is a certificate request, not a certificate. Upload the certificate that signs at the identity provider."
)
_PKCS7 = "This is a PKCS#7 bundle. Export the signing certificate alone, as PEM or DER."
_PUBLIC_KEY = "This is a bare public key. Upload the certificate that carries it."
_STORE = (
    "This is a key store (PKCS#12 or Java), which may hold a private key. Export the certificate alone, as PEM or "
    "DER; the store was not kept."
)
_GARBAGE = "This is no certificate. Upload the identity provider's certificate as PEM, DER or base64."


def _decoded(text: str) -> bytes:
    try:
        return binascii.a2b_base64("".join(text.split()).encode("ascii"), strict_mode=True)
    except ValueError:
        raise CertificateError(_GARBAGE) from None


def _checked_der(data: bytes) -> bytes:
    """`data` if it may be a certificate. Raises CertificateError when it is something else that people hold."""
    if data.startswith(_KEY_STORES):
        raise CertificateError(_STORE)
    with _quiet():
        readable = _loads(x509.load_der_x509_certificate, data)
    if not readable:
        _refuse_other_der(data)
    return data


def _refuse_other_der(data: bytes) -> None:
    if _is_private_key(data):
        _refuse_private_key(bundled=False)
    if _loads(x509.load_der_x509_csr, data):
        raise CertificateError(_REQUEST)
    if _loads(pkcs7.load_der_pkcs7_certificates, data):
        raise CertificateError(_PKCS7)
    if _is_key_store(data):
        raise CertificateError(_STORE)
    if _loads(serialization.load_der_public_key, data):
        raise CertificateError(_PUBLIC_KEY)
    raise CertificateError(_GARBAGE)


def _loads(load: object, data: bytes) -> bool:
    try:
        load(data)  # type: ignore[operator]
    except _UNREADABLE:
        return False
    return True


def _is_private_key(data: bytes) -> bool:
    try:
        serialization.load_der_private_key(data, password=None)
    except (TypeError, UnsupportedAlgorithm):  # it asks for a password, or is a key of a kind not known here
        return True
    except (ValueError, OverflowError):
        return False
    return True


def _is_key_store(data: bytes) -> bool:
    """PFX begins with the version 3 (RFC 7292, 4): SEQUENCE { INTEGER 3, SEQUENCE …."""
    return re.match(rb"\x30(?:[\x00-\x7f]|\x80|\x81.|\x82..|\x83...)\x02\x01\x03\x30", data, re.DOTALL) is not None
