"""The few kinds of error the core raises for what it cannot handle.

A refused message is not one of them: it is a `Report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sp.saml.report import Finding


class SamlError(Exception):
    """The base of everything the core raises. The text is one safe sentence for the person who caused it."""


class CertificateError(SamlError):
    """A certificate that cannot be used: unreadable, of the wrong kind, or too weak."""


class MetadataError(SamlError):
    """Metadata that cannot be used: unreadable, not what it should be, expired, or not signed by whom it should be."""


class MetadataSignatureError(MetadataError):
    """Metadata whose signature is missing or does not verify, with the finding of that check."""

    def __init__(self, code: str, finding: Finding) -> None:
        super().__init__("The signature of this metadata does not hold.")
        self.code = code
        self.finding = finding
