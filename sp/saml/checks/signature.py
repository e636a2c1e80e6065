"""Stage 7: the signatures. Owns the rows; `sp.saml.enveloped` owns the rules. Never reads what is signed."""

from __future__ import annotations

from sp.saml import enveloped, names
from sp.saml.messages import SignedPart
from sp.saml.problems import SignaturePresentProblem
from sp.saml.report import PASSED, Finding, failed
from sp.saml.signature import Signatures
from sp.saml.values import Missing, names_of

_WANTED = {
    SignedPart.EITHER: frozenset[str](),
    SignedPart.ASSERTION: frozenset(("Assertion",)),
    SignedPart.RESPONSE: frozenset(("Response",)),
    SignedPart.BOTH: frozenset(("Assertion", "Response")),
}


def signature_present(signatures: Signatures) -> Finding:
    signed = {found.name for found in signatures.signed.found}
    wanted = _WANTED[signatures.account.signed_part]
    if signatures.response.assertion.tag == names.ENCRYPTED_ASSERTION:
        wanted -= {"Assertion"}  # it stayed closed, because the signature around it does not hold: see `decryption`
    if not signed:
        expected = names_of(sorted(wanted) or ["Assertion", "Response"])
        return failed(SignaturePresentProblem.MISSING, expected, Missing("Signature"))
    if not wanted <= signed:
        return failed(SignaturePresentProblem.PART_MISSING, names_of(sorted(wanted)), names_of(sorted(signed)))
    return PASSED


def signature_structure(signatures: Signatures) -> Finding:
    return enveloped.signature_structure(signatures.signed)


def signature_algorithms(signatures: Signatures) -> Finding:
    return enveloped.signature_algorithms(signatures.signed)


def signing_key(signatures: Signatures) -> Finding:
    return enveloped.signing_key(signatures.signed)


def signature(signatures: Signatures) -> Finding:
    return enveloped.signature(signatures.signed)
