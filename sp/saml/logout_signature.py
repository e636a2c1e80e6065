"""Stage 5 of a logout message: the signature of the message, or of the query that carried it.

Owns which of the two counts, by binding (Profiles 4.4.4.1; Bindings 3.4.4.1). Never computes anything itself:
`sp.saml.enveloped` and `sp.saml.redirect_binding` do.
"""

from __future__ import annotations

from lxml import etree

from sp.saml import names
from sp.saml.enveloped import SIGNATURE_METHODS, WEAK, SigningTrust, fingerprint_of, judge_enveloped, key_finding
from sp.saml.logout_messages import LogoutExpectations
from sp.saml.problems import SignatureAlgorithmProblem, SignatureStructureProblem, SigningKeyProblem
from sp.saml.redirect_binding import QueryVerdict, RedirectMessage, verify_query
from sp.saml.report import NOT_REACHED, PASSED, Finding, failed, warning
from sp.saml.values import Uri

Rows = dict[str, Finding]


def judge_signature(
    message: etree._Element, query: RedirectMessage | None, expectations: LogoutExpectations
) -> tuple[Rows, etree._Element | None]:
    """The rows up to the first failure, and the message as it was signed, or None unless everything holds.

    `query` is what carried the message by HTTP-Redirect; then its octets are what was signed, and `message` is the
    parse of nothing else.
    """
    trust = signing_trust(expectations)
    if query is None:
        return judge_enveloped(message, trust)
    rows, holds = _judge_query(message, query, trust)
    return rows, message if holds else None


def signing_trust(expectations: LogoutExpectations) -> SigningTrust:
    account, common = expectations.account, expectations.common
    return SigningTrust(
        certificates=account.certificates if account else (),
        now=common.now,
        retired=account.retired_certificates if account else (),
        allow_sha1=account.allow_sha1 if account else False,
        warn_before_expiry=common.certificate_warning,
    )


def _judge_query(message: etree._Element, query: RedirectMessage, trust: SigningTrust) -> tuple[Rows, bool]:
    verdict = verify_query(query, trust.certificates, allow_sha1=trust.allow_sha1)
    if query.signature is None:
        return {"signature_present": verdict.finding}, False
    rows = {"signature_present": PASSED}
    if next(message.iter(names.SIGNATURE), None) is not None:  # one of the two would be checked, the other believed
        hidden = failed(SignatureStructureProblem.BESIDE_QUERY)
        return rows | {"signature_structure": hidden}, False
    rows["signature_structure"] = PASSED
    if query.algorithm not in SIGNATURE_METHODS or (query.algorithm in WEAK and not trust.allow_sha1):
        return rows | {"signature_algorithms": verdict.finding}, False
    rows["signature_algorithms"] = _algorithm(query)
    if verdict.certificate is None:
        return rows | _unverified(query, verdict, trust), False
    return rows | {"signing_key": key_finding(verdict.certificate, trust), "signature": PASSED}, True


def _algorithm(query: RedirectMessage) -> Finding:
    if query.algorithm in WEAK:
        return warning(SignatureAlgorithmProblem.WEAK, received=Uri(query.algorithm))
    return PASSED


def _unverified(query: RedirectMessage, verdict: QueryVerdict, trust: SigningTrust) -> Rows:
    """No key fits: there is none, a retired one made it, or nobody knows who did."""
    if all(certificate.weakness for certificate in trust.certificates):
        return {"signing_key": verdict.finding}
    past = verify_query(query, trust.retired, allow_sha1=trust.allow_sha1).certificate
    if past is not None:
        retired = failed(SigningKeyProblem.RETIRED, verdict.finding.expected, fingerprint_of(past))
        return {"signing_key": retired}
    return {"signing_key": NOT_REACHED, "signature": verdict.finding}
