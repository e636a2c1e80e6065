"""Certificates in requests and answers.

Owns naming the field of one that cannot be used. Never judges one: `sp.saml.certificates` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from sp.api.problems import invalid
from sp.saml.certificates import MAXIMUM_BYTES, IdpCertificate, read_certificate
from sp.saml.errors import CertificateError

Certificate = Annotated[str, Field(max_length=MAXIMUM_BYTES, description="A certificate in PEM, or DER in base64.")]


def read_one(text: str, field: str) -> IdpCertificate:
    """Raises ApiError (422) that names the field."""
    try:
        return read_certificate(text.encode())
    except CertificateError as error:
        raise invalid({field: str(error)}) from None


def read_all(texts: Sequence[str], field: str) -> tuple[IdpCertificate, ...]:
    """As `read_one`; the field of the second one is `certificates.1`. Each counts once."""
    found = [read_one(text, f"{field}.{number}") for number, text in enumerate(texts)]
    return tuple(dict.fromkeys(found))
