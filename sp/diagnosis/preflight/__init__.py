"""The preflight: what is likely to go wrong at the first sign-in, found before anybody signs in.

Owns the order of its checks and their groups. Never refuses anything: a form that it frowns upon can be saved, and no
response is judged by it (see `sp.saml.checks` for that).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sp.diagnosis.preflight import addresses, certificate, service
from sp.diagnosis.preflight.catalogue import TEXTS
from sp.diagnosis.preflight.connection import Connection
from sp.diagnosis.preflight.finding import Finding, Row
from sp.saml.report import Outcome

GROUPS = ("Identity provider", "Certificate", "This service")


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """One row: what it is called, why it matters, what to change, what judges it."""

    code: str
    group: str
    title: str
    why: str
    remedy: str
    judge: Callable[[Connection], Finding]


def _check(group: int, code: str, title: str, judge: Callable[[Connection], Finding]) -> PreflightCheck:
    return PreflightCheck(code, GROUPS[group], title, *TEXTS[code], judge)


PREFLIGHT = (
    _check(0, "savable", "The form can be saved", addresses.savable),
    _check(0, "issuer_text", "Issuer URL has nothing invisible", addresses.issuer_text),
    _check(0, "issuer_own", "Issuer URL is the other side's", addresses.issuer_own),
    _check(0, "issuer_metadata", "Issuer URL is no metadata address", addresses.issuer_metadata),
    _check(0, "issuer_address", "Issuer URL is no sign-in address", addresses.issuer_address),
    _check(0, "issuer_exact", "Issuer URL as its provider writes it", addresses.issuer_exact),
    _check(0, "sign_in_own", "Sign In URL is the other side's", addresses.sign_in_own),
    _check(0, "sign_in_metadata", "Sign In URL is no metadata address", addresses.sign_in_metadata),
    _check(0, "sign_in_kind", "Sign In URL is for signing in", addresses.sign_in_kind),
    _check(0, "sign_in_https", "Sign In URL is safe on its way", addresses.sign_in_https),
    _check(0, "sign_out_own", "Sign Out URL is the other side's", addresses.sign_out_own),
    _check(0, "sign_out_kind", "Sign Out URL is for signing out", addresses.sign_out_kind),
    _check(0, "sign_out_https", "Sign Out URL is safe on its way", addresses.sign_out_https),
    _check(0, "one_provider", "All values are of one provider", addresses.one_provider),
    _check(1, "certificate_time", "Certificate is valid for a while", certificate.certificate_time),
    _check(1, "certificate_purpose", "Certificate is for signing", certificate.certificate_purpose),
    _check(1, "certificate_authority", "Certificate is no authority's", certificate.certificate_authority),
    _check(1, "certificate_key", "Certificate has a strong key", certificate.certificate_key),
    _check(1, "certificate_own", "Certificate is the other side's", certificate.certificate_own),
    _check(1, "certificate_elsewhere", "Certificate is of this issuer", certificate.certificate_elsewhere),
    _check(2, "switched_on", "Single Sign On is switched on", service.switched_on),
    _check(2, "somebody_begins", "Somebody can begin a sign-in", service.somebody_begins),
    _check(2, "somebody_signs_in", "Somebody can sign in", service.somebody_signs_in),
    _check(2, "own_https", "Own addresses are safe on their way", service.own_https),
    _check(2, "clock", "Clocks agree", service.clock),
    _check(2, "browser_clock", "This browser's clock agrees", service.browser_clock),
)

BY_CODE = {check.code: check for check in PREFLIGHT}


def preflight(connection: Connection) -> tuple[Row, ...]:
    """Every check in the order of the table. Failed: a sign-in cannot work so; warning: it may not."""
    return tuple(_row(check, check.judge(connection)) for check in PREFLIGHT)


def ready(rows: tuple[Row, ...]) -> bool:
    """Whether nothing stands in the way of the first sign-in, as far as can be known before it."""
    return bool(rows) and not any(row.outcome is Outcome.FAILED for row in rows)


def _row(check: PreflightCheck, finding: Finding) -> Row:
    return Row(check.code, finding.outcome, finding.expected, finding.received)
