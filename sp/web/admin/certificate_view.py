"""Certificates as the pages show them.

Owns the facts that are shown and the warnings about them. Never refuses one: `sp.saml.certificates` did.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from sp.saml.certificates import IdpCertificate
from sp.web import times

SOON_DAYS = 30  # as `Expectations.certificate_warning`


@dataclass(frozen=True, slots=True)
class CertificateView:
    """Texts for the `certificate_facts` macro, warnings, and the DER bytes in base64 for a form that carries them."""

    subject: str
    issuer: str
    key: str
    fingerprint: str
    sha256: str
    not_before: str
    not_after: str
    days_left: int
    warnings: tuple[str, ...]
    der_base64: str


def certificate_view(certificate: IdpCertificate, now: datetime) -> CertificateView:
    return CertificateView(
        subject=certificate.subject,
        issuer=certificate.issuer,
        key=certificate.key,
        fingerprint=certificate.fingerprint,
        sha256=certificate.sha256,
        not_before=times.exact(certificate.not_before),
        not_after=times.exact(certificate.not_after),
        days_left=certificate.days_left(now),
        warnings=tuple(_warnings(certificate, now)),
        der_base64=base64.b64encode(certificate.der).decode("ascii"),
    )


def _warnings(certificate: IdpCertificate, now: datetime) -> Iterator[str]:
    if now > certificate.not_after:
        yield "It has expired. Responses signed with it are accepted with a warning, since its exact key is trusted."
    elif certificate.days_left(now) <= SOON_DAYS:
        yield "It expires soon. Ask for its successor, and keep both until the identity provider has changed over."
    if now < certificate.not_before:
        yield "It is not valid yet. Check the clocks, or wait before the identity provider signs with it."
    if certificate.is_ca:
        yield "It is the certificate of an authority. Only its own key is trusted, not the certificates it issued."
    if _signed_with_sha1(certificate):
        yield "It is itself signed with SHA-1. Here only its key counts, but other services may refuse it."


def _signed_with_sha1(certificate: IdpCertificate) -> bool:
    try:
        algorithm = x509.load_der_x509_certificate(certificate.der).signature_hash_algorithm
    except UnsupportedAlgorithm:
        return False
    return algorithm is not None and algorithm.name == "sha1"
