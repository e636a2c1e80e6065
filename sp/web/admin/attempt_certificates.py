"""The certificates of an attempt: those that the account trusted, and those that the message brought along.

Owns telling them apart. Never trusts one for standing in a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sp.diagnosis.meaning import sent_certificates
from sp.flows.evidence import Evidence
from sp.flows.judging_captured import CapturedEvidence
from sp.web.admin.certificate_view import CertificateView, certificate_view


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
    brought = list(sent_certificates(evidence.root)) if evidence.root is not None else []
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
