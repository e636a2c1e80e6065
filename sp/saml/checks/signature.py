"""Stage 7: the signatures. Owns the rows; `sp.saml.signature` owns the rules. Never reads what is signed."""

from __future__ import annotations

from sp.saml import names
from sp.saml.messages import SignedPart
from sp.saml.report import Finding, Outcome, failed, passed, warning
from sp.saml.signature import Signatures, algorithm_problem, structure_problem, weak_algorithms

_WANTED = {
    SignedPart.EITHER: frozenset[str](),
    SignedPart.ASSERTION: frozenset(("Assertion",)),
    SignedPart.RESPONSE: frozenset(("Response",)),
    SignedPart.BOTH: frozenset(("Assertion", "Response")),
}


def signature_present(signatures: Signatures) -> Finding:
    signed = {enveloped.name for enveloped in signatures.found}
    wanted = _WANTED[signatures.account.signed_part]
    if signatures.response.assertion.tag == names.ENCRYPTED_ASSERTION:
        wanted -= {"Assertion"}  # it stayed closed, because the signature around it does not hold: see `decryption`
    if not signed:
        return failed(expected=f"a signature of the {_listed(wanted, ' or ')}", received="no signature")
    if not wanted <= signed:
        return failed(
            expected=f"a signature of the {_listed(wanted, ' and ')}", received=f"of the {_listed(signed, '')}"
        )
    return passed(_listed(signed, " and "))


def _listed(parts: frozenset[str] | set[str], joint: str) -> str:
    return joint.join(sorted(parts)) or f"Assertion{joint}Response"


def signature_structure(signatures: Signatures) -> Finding:
    problem = structure_problem(signatures)
    return passed() if problem is None else failed(expected=problem[0], received=problem[1])


def signature_algorithms(signatures: Signatures) -> Finding:
    problem = algorithm_problem(signatures)
    if problem is not None:
        return failed(expected=problem[0], received=problem[1])
    weak = weak_algorithms(signatures)
    if weak:
        return warning(expected="SHA-256 or better", received=", ".join(weak))
    used = dict.fromkeys(enveloped.method for enveloped in signatures.found)
    return passed(", ".join(used))


def signing_key(signatures: Signatures) -> Finding:
    return _worst([verdict.signing_key for verdict in signatures.verdicts])


def signature(signatures: Signatures) -> Finding:
    return _worst([verdict.signature for verdict in signatures.verdicts])


def _worst(findings: list[Finding]) -> Finding:
    """Every signature present must hold, so one that fails decides, and no signature at all is a failure."""
    for outcome in (Outcome.FAILED, Outcome.NOT_REACHED, Outcome.WARNING, Outcome.PASSED):
        for finding in findings:
            if finding.outcome is outcome:
                return finding
    return failed(expected="a signature", received="no signature")
