"""Owns the signing key and its certificate: made at the first start, read ever after.

Never shows or logs the private key; it leaves this module only as a file that its owner alone may read.
"""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

COMMON_NAME = "Demo Directory Federated SSO Certificate"
_YEARS_VALID = 3


class KeyFileError(Exception):
    """The key or the certificate in the data folder cannot be used; the text is one sentence."""


@dataclass(frozen=True)
class SigningKey:
    """The files that pysaml2 and the downloads use, and the certificate in them."""

    key_file: Path
    certificate_file: Path
    certificate: x509.Certificate

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def certificate_der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as hexadecimal pairs with colons."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def open_signing_key(key_file: Path, certificate_file: Path, now: datetime) -> SigningKey:
    """Read the signing key, making it and its certificate first where they are missing.

    Raises KeyFileError when a file is there but holds something else, or the two do not belong together.
    """
    if not key_file.exists():
        _write_once(key_file, pem_of(new_key()), mode=0o600)
    key = _read_key(key_file)
    if not certificate_file.exists():
        _write_once(certificate_file, self_signed(key, now).public_bytes(Encoding.PEM), mode=0o644)
    certificate = _read_certificate(certificate_file)
    if certificate.public_key() != key.public_key():
        raise KeyFileError(
            f"{certificate_file} does not belong to {key_file}: remove both to get a new pair, "
            "or put the right certificate back."
        )
    return SigningKey(key_file, certificate_file, certificate)


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: rsa.RSAPrivateKey) -> bytes:
    """The key as unencrypted PKCS #8."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def self_signed(key: rsa.RSAPrivateKey, now: datetime) -> x509.Certificate:
    """The certificate of a key as the demo directory makes it, valid from a day before `now` on."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, COMMON_NAME)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A day early, so that a service whose clock is behind does not see a certificate from the future.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS_VALID))
        .sign(key, hashes.SHA256())
    )


def _write_once(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file whole or not at all; when two processes start at once, the first one's file stays."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(mode)
        with suppress(FileExistsError):
            path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)


def _read_key(path: Path) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(_content(path), password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path} is not an unencrypted private key in PEM format.") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyFileError(f"{path} is not an RSA key.")
    return key


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_content(path))
    except ValueError as error:
        raise KeyFileError(f"{path} is not a certificate in PEM format.") from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}.") from error
