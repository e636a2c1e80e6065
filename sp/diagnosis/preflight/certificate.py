"""The preflight of the identity provider's certificates: in force, for signing, and of this provider.

Owns what is unusual about one. Never refuses one: an account pins exact keys, whatever a certificate says beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from cryptography.x509 import KeyUsage

from sp.diagnosis.preflight.connection import Connection, parts_of, stays_near
from sp.diagnosis.preflight.finding import Finding, failed, passed, skipped, warning
from sp.saml.certificates import IdpCertificate, key_usage, named_hosts
from sp.saml.report import Outcome

# The more urgent, the plainer; whole days.
_EXPIRING = (
    (7, "its successor this week"),
    (30, "its successor soon, kept beside it until the identity provider has changed over"),
    (60, "a date for its successor"),
)


def certificate_time(connection: Connection) -> Finding:
    return _worst(connection, lambda certificate: _time(certificate, connection))


def _time(certificate: IdpCertificate, connection: Connection) -> Finding:
    now, days = connection.now, certificate.days_left(connection.now)
    if now > certificate.not_after:
        return warning(expected="a certificate that is still valid", received=f"expired on {_day(certificate)}")
    if now < certificate.not_before:
        begins = certificate.not_before
        return warning(
            expected="a certificate that is valid already", received=f"valid from {begins:%Y-%m-%d %H:%M} UTC"
        )
    for limit, wanted in _EXPIRING:
        if certificate.not_after - now <= timedelta(days=limit):
            return warning(expected=wanted, received=f"{days} days left, until {_day(certificate)}")
    return passed(f"{days} days left")


def _day(certificate: IdpCertificate) -> str:
    return f"{certificate.not_after:%Y-%m-%d}"


def certificate_purpose(connection: Connection) -> Finding:
    """Providers that encrypt too publish two certificates, and the wrong one verifies nothing (RFC 5280, 4.2.1.3)."""
    return _worst(connection, _purpose)


def _purpose(certificate: IdpCertificate) -> Finding:
    usage = key_usage(certificate)
    if usage is None:
        return passed("it does not say")
    if usage.digital_signature or usage.content_commitment:
        return passed("for signatures")
    return warning(expected="a certificate for signatures (digitalSignature)", received=f"one for {_uses(usage)} only")


def _uses(usage: KeyUsage) -> str:
    if usage.key_encipherment or usage.data_encipherment or usage.key_agreement:
        return "encryption"
    return "issuing other certificates" if usage.key_cert_sign else "other uses"


def certificate_authority(connection: Connection) -> Finding:
    """Many identity providers sign with a self-signed certificate that calls itself an authority: that is theirs."""
    return _worst(connection, _authority)


def _authority(certificate: IdpCertificate) -> Finding:
    if not certificate.is_ca:
        return passed()
    if certificate.subject == certificate.issuer:
        return passed("it calls itself an authority, as many self-signed ones do")
    return warning(expected="the certificate that signs", received="an authority's, issued by another authority")


def certificate_key(connection: Connection) -> Finding:
    return _worst(connection, _key)


def _key(certificate: IdpCertificate) -> Finding:
    if certificate.weakness:
        return failed(expected="RSA of at least 2048 bits, or ECDSA on P-256 or better", received=certificate.weakness)
    return passed(certificate.key)


def certificate_own(connection: Connection) -> Finding:
    return _worst(connection, lambda certificate: _own(certificate, connection))


def _own(certificate: IdpCertificate, connection: Connection) -> Finding:
    expected = "the identity provider's certificate"
    if certificate.der in connection.own_certificates:
        return failed(expected=expected, received="this service's own")
    parts = parts_of(connection.acs_url)
    host = parts.hostname or "" if parts else ""
    if not stays_near(host) and host in named_hosts(certificate):
        return warning(expected=expected, received=f"one for {host}, this service's own host")
    return passed()


def certificate_elsewhere(connection: Connection) -> Finding:
    return _worst(connection, lambda certificate: _elsewhere(certificate, connection))


def _elsewhere(certificate: IdpCertificate, connection: Connection) -> Finding:
    other = connection.issuers_elsewhere.get(certificate.sha256, "")
    if other and other != connection.issuer.strip():
        return warning(
            expected=f"a certificate of {connection.issuer.strip() or 'this issuer'}", received=f"one of {other}"
        )
    return passed()


def _worst(connection: Connection, judge: Callable[[IdpCertificate], Finding]) -> Finding:
    """The gravest finding of all certificates, with its certificate named where there are several."""
    found = [(certificate, judge(certificate)) for certificate in connection.certificates]
    for outcome in (Outcome.FAILED, Outcome.WARNING):
        for certificate, finding in found:
            if finding.outcome is outcome:
                named = f"{certificate.subject}: " if len(found) > 1 else ""
                return Finding(outcome, finding.expected, named + finding.received)
    return found[0][1] if found else skipped("no certificate yet")
