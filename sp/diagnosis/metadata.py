"""Why metadata was refused, in a sentence."""

from __future__ import annotations

from sp.diagnosis.sides import sides_of_finding
from sp.saml.errors import MetadataError, MetadataSignatureError
from sp.saml.problems import SignaturePresentProblem


def metadata_sentence(error: MetadataError) -> str:
    """The error's own sentence, or both sides of the signature check that failed."""
    if not isinstance(error, MetadataSignatureError):
        return str(error)
    if error.finding.problem is SignaturePresentProblem.MISSING:
        return "This metadata is not signed, and a certificate was given that must have signed it."
    expected, received = sides_of_finding(error.finding)
    return f"The signature of this metadata does not hold. Expected: {expected}. Received: {received}."
