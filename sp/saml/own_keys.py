"""This service's own keys, as values: what signs its messages and what opens what was encrypted for it.

Owns making a key pair with its certificate and reading one back. Never stores one and never shows a private key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

RSA_BITS = 2048  # two of 3072 bits make the first start half a second longer
VALIDITY = timedelta(days=3 * 365)
_BACKDATED = timedelta(hours=1)  # an identity provider's clock may be behind


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A private RSA key and the DER bytes of the certificate that goes into the metadata."""

    private_key: rsa.RSAPrivateKey = field(repr=False)
    certificate: bytes


@dataclass(frozen=True, slots=True)
class DecryptionKeys:
    """The private keys that may open a message for one account.

    `former` are the keys that all accounts once shared: they still open, and the report warns of it.
    """

    own: tuple[OwnKey, ...] = ()
    former: tuple[OwnKey, ...] = ()

    @property
    def usable(self) -> tuple[OwnKey, ...]:
        """Every key, in the order in which they are tried."""
        return self.own + self.former


NO_KEYS = DecryptionKeys()


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """The certificates that our metadata names, in DER, each purpose in the order in which they stand there."""

    signing: tuple[bytes, ...]
    encryption: tuple[bytes, ...]


def make_key(common_name: str, now: datetime) -> OwnKey:
    """A new key pair with a self-signed certificate that begins at `now`. Only the key in it has a meaning (MDIOP)."""
    key = _new_private_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + VALIDITY)
        .sign(key, hashes.SHA256())
    )
    return OwnKey(key, certificate.public_bytes(Encoding.DER))


def _new_private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 fingerprint of DER bytes as tools print it: upper-case pairs with colons between."""
    return hashlib.sha256(certificate).digest().hex(":").upper()


def private_bytes(key: OwnKey) -> bytes:
    """The private key as PKCS #8 in DER, not encrypted: whoever stores it keeps it from others."""
    return key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


class OwnKeyError(ValueError):
    """A stored key of this service cannot be used. The text is one sentence for the operator."""


@lru_cache(maxsize=1024)  # loading checks the primes, which takes 60 to 80 ms; each account has a key of its own
def read_key(private_key: bytes, certificate: bytes) -> OwnKey:
    """The key that `private_bytes` wrote. Raises OwnKeyError for anything but a readable RSA key."""
    try:
        key = load_der_private_key(private_key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise OwnKeyError(
            "A private key of this service cannot be read: `virtual-office db check` names it. Restore a backup."
        )
    return OwnKey(key, certificate)
