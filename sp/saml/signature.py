"""From an UnverifiedResponse to a VerifiedAssertion: what the signatures of a response cover, parsed afresh.

Owns which elements of a response may carry a signature, and is the only maker of a VerifiedAssertion. Never judges a
signature itself: `sp.saml.enveloped` does; never lets anybody read a tree that no signature covers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from sp.saml import names
from sp.saml.decryption import opened
from sp.saml.enveloped import Signed, SigningTrust, covered_bytes
from sp.saml.messages import AccountTrust, Expectations, UnverifiedResponse, VerifiedAssertion
from sp.saml.xml import child, parse


@dataclass(frozen=True)
class Signatures:
    """The signatures of one response beside the account whose keys they are held against."""

    response: UnverifiedResponse
    account: AccountTrust
    expectations: Expectations

    @cached_property
    def signed(self) -> Signed:
        """The Response and its Assertion, which may stand in a tree of its own where it was encrypted."""
        trust = SigningTrust(
            certificates=self.account.certificates,
            now=self.expectations.now,
            retired=self.account.retired_certificates,
            allow_sha1=self.account.allow_sha1,
            warn_before_expiry=self.expectations.certificate_warning,
        )
        return Signed((self.response.tree, self.response.assertion), trust)

    @property
    def response_signed(self) -> bool:
        return any(enveloped.signed is self.response.tree for enveloped in self.signed.found)


def verified_assertion(signatures: Signatures) -> VerifiedAssertion | None:
    """The assertion that verified signatures cover, parsed afresh from what was digested; None unless all hold.

    Ask only once the structure and the algorithms hold.
    """
    content = covered_bytes(signatures.signed)
    if content is None:
        return None
    certificate = signatures.signed.verdicts[-1].certificate
    tree = parse(content)
    assertion = tree if tree.tag == names.ASSERTION else _assertion_in(tree, signatures.expectations)
    if assertion is None or certificate is None:
        return None
    return VerifiedAssertion(assertion, signatures.response_signed, certificate)


def _assertion_in(response: etree._Element, expectations: Expectations) -> etree._Element | None:
    """The assertion of a verified Response, opened again from the verified bytes where it is encrypted."""
    encrypted = child(response, names.ENCRYPTED_ASSERTION)
    if encrypted is None:
        return child(response, names.ASSERTION)
    return opened(encrypted, names.ASSERTION, expectations.decryption_keys)
