"""A certificate for serving https on this machine under another name, and the authority that vouches for it.

Owns making both and keeping them while they hold. Never keeps the authority's private key: whoever trusts it in a
browser trusts what it has signed already, and nobody can have it sign anything else.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

OTHER_NAME = "sso.8x8.com"
AUTHORITY_NAME = "Virtual Office local authority"
VALIDITY = timedelta(days=820)  # Apple's systems refuse a server's certificate of more than 825 days
RENEWED_BEFORE = timedelta(days=30)
_BACKDATED = timedelta(hours=1)

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\Z")


class LocalAuthorityError(Exception):
    """The certificates cannot be made or kept. The text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where things lie in a folder: the authority's certificate for browsers, the server's chain and its key."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def certificate(self) -> Path:
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        return self.folder / "server-key.pem"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there afterwards. `made` is false when the files that were there still hold."""

    files: Files
    made: bool
    not_after: datetime


def default_files(data_dir: Path) -> Files:
    return Files(data_dir / "tls")


def ensure(files: Files, host: str, now: datetime) -> Kept:
    """Certificates for `host` and localhost that hold for a month at least; new ones only where there are none.

    Raises LocalAuthorityError for a host that is no DNS name, and for a folder that cannot be written.
    """
    if not _HOST.match(host):
        raise LocalAuthorityError(f"{host!r} is not a DNS name in lower case, such as {OTHER_NAME!r}.")
    try:
        held = _held(files, host, now)
        if held is not None:
            return Kept(files, made=False, not_after=held)
        _write(files, host, now)
    except OSError as error:
        raise LocalAuthorityError(f"The folder {files.folder} cannot be used ({error.strerror}).") from None
    return Kept(files, made=True, not_after=now + VALIDITY)


def first_name(certificate: Path) -> str:
    """The first DNS name that a server's certificate is for. Raises LocalAuthorityError where there is none."""
    try:
        read = x509.load_pem_x509_certificate(certificate.read_bytes())
        found = _names(read)
    except OSError as error:
        raise LocalAuthorityError(f"The certificate {certificate} cannot be read ({error.strerror}).") from None
    except ValueError:
        raise LocalAuthorityError(f"The file {certificate} holds no certificate in PEM.") from None
    if not found:
        raise LocalAuthorityError(f"The certificate {certificate} names no host.")
    return found[0]


def _held(files: Files, host: str, now: datetime) -> datetime | None:
    """Until when the files that are there hold, or None where new ones are needed."""
    if not all(file.is_file() for file in (files.authority, files.certificate, files.key)):
        return None
    try:
        read = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    except ValueError:
        return None
    holds = host in _names(read) and now + RENEWED_BEFORE < read.not_valid_after_utc
    return read.not_valid_after_utc if holds else None


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return names.value.get_values_for_type(x509.DNSName)


def _write(files: Files, host: str, now: datetime) -> None:
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = [x509.DNSName(name) for name in dict.fromkeys((host, "localhost"))]
    authority = _authority(authority_key, names, now)
    server = _server(server_key, authority, authority_key, names, now)
    key = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = server.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM)
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _put(files.key, key, 0o600)
    _put(files.certificate, chain, 0o644)
    _put(files.authority, authority.public_bytes(Encoding.PEM), 0o644)


def _put(file: Path, content: bytes, mode: int) -> None:
    """Never for a moment readable by more than `mode` says, as a file that is closed afterwards would be."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
        opened.write(content)


def _authority(key: ec.EllipticCurvePrivateKey, names: list[x509.DNSName], now: datetime) -> x509.Certificate:
    """It may vouch for these names only, so that trusting it costs nothing else."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, AUTHORITY_NAME)])
    return (
        _builder(name, name, key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=names, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    names: list[x509.DNSName],
    now: datetime,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0].value[:64])])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(subject, authority.subject, key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + VALIDITY)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
