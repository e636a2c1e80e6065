"""The certificates of an attempt: those that the account trusted, and those that the message brought along.

Owns telling them apart. Never trusts one for standing in a message.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from lxml import etree

from sp.flows.evidence import Evidence
from sp.flows.judging_captured import CapturedEvidence
from sp.saml import names
from sp.saml.certificates import IdpCertificate, stored_certificate
from sp.saml.errors import CertificateError
from sp.saml.xml import text_of
from sp.web.admin.certificate_view import CertificateView, certificate_view

_MOST = 8
_LONGEST = 90_000  # characters of base64, as the form for certificates allows


@dataclass(frozen=True, slots=True)
class Seen:
    """A certificate, with what it was in this attempt. `trusted`: the account has it in the version of then."""

    view: CertificateView
    trusted: bool
    in_message: bool
    verified: bool


@dataclass(frozen=True, slots=True)
class Certificates:
    """`unreadable` counts those in the message that are none."""

    seen: tuple[Seen, ...]
    unreadable: int


def certificates_of(evidence: Evidence | CapturedEvidence, now: datetime) -> Certificates:
    """The trusted ones first, then the strangers, each once."""
    brought = list(_brought(evidence.root))
    readable = [certificate for certificate in brought if certificate is not None]
    every = dict.fromkeys((*evidence.trusted, *readable))
    seen = tuple(
        Seen(
            certificate_view(certificate, now),
            trusted=certificate in evidence.trusted,
            in_message=certificate in readable,
            verified=certificate == evidence.judgement.certificate,
        )
        for certificate in every
    )
    return Certificates(seen, len(brought) - len(readable))


def _brought(root: etree._Element | None) -> Iterator[IdpCertificate | None]:
    """The certificates in the message's KeyInfo elements, None for what is none."""
    if root is None:
        return
    for element in islice(root.iter(names.X509_CERTIFICATE), _MOST):
        yield _read("".join(text_of(element)[:_LONGEST].split()))


def _read(text: str) -> IdpCertificate | None:
    try:
        return stored_certificate(binascii.a2b_base64(text.encode("ascii"), strict_mode=True))
    except (CertificateError, ValueError):
        return None
