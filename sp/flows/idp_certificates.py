"""The certificates of an account's identity provider over time: which is in use, which is next, which may go.

Owns what their use says about them, and the changes that an administrator makes to them. Never verifies anything.

A certificate is stored as trusted or as retired. What is trusted is *upcoming* while it cannot be what signs now: its
validity has not begun, or it has verified no sign-in yet and another one has. All others that are trusted are active.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from sp.flows.account_setup import SsoDraft, draft_of
from sp.models import Account, CertificateUse
from sp.saml.certificates import IdpCertificate
from sp.store import certificate_uses
from sp.store.rows import required

QUIET_BEFORE_REMOVAL = timedelta(days=7)  # a weekly habit is seen, a holiday is not
WARNED_DAYS = (60, 30, 7)

Change = dict[str, Any]


class CertificateState(StrEnum):
    ACTIVE = "active"
    UPCOMING = "upcoming"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Standing:
    """One certificate of an account. `advice` is one sentence; `removable` where removing it breaks no sign-in."""

    certificate: IdpCertificate
    state: CertificateState
    advice: str
    removable: bool
    first_used_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Expiry:
    """A trusted certificate that ends soon or has ended. `within` is the smallest of WARNED_DAYS that it is within."""

    certificate: IdpCertificate
    days: int
    within: int
    has_successor: bool


def standings_of(session: Session, account: Account, now: datetime) -> tuple[Standing, ...]:
    """Every certificate of the account: the trusted ones in their order, then the retired ones."""
    uses = certificate_uses.of_account(session, required(account.id))
    return standings(draft_of(session, account), uses, now)


def standings(draft: SsoDraft, uses: Mapping[str, CertificateUse], now: datetime) -> tuple[Standing, ...]:
    trusted = draft.certificates
    used = [uses[one.sha256] for one in trusted if one.sha256 in uses]
    latest = max(used, key=lambda use: use.last_used_at, default=None)
    return (
        *(_trusted(one, uses.get(one.sha256), latest, now) for one in trusted),
        *(_retired(one, uses.get(one.sha256)) for one in draft.retired_certificates),
    )


def _trusted(
    certificate: IdpCertificate, use: CertificateUse | None, latest: CertificateUse | None, now: datetime
) -> Standing:
    if certificate.not_before > now:
        advice = f"It is valid from {_day(certificate.not_before)}, and is waiting until then."
        return _standing(certificate, CertificateState.UPCOMING, advice, use)
    if use is None and latest is not None:
        advice = "No sign-in has been verified with it yet, while another one is in use. Keep it for the change over."
        return _standing(certificate, CertificateState.UPCOMING, advice, use)
    if use is None or latest is None:
        return _standing(certificate, CertificateState.ACTIVE, "No sign-in has been verified with it yet.", use)
    if use.sha256 == latest.sha256:
        return _standing(certificate, CertificateState.ACTIVE, "It verified the last sign-in. Keep it.", use)
    quiet = latest.last_used_at - use.last_used_at
    removable = quiet >= QUIET_BEFORE_REMOVAL
    return _standing(certificate, CertificateState.ACTIVE, _after_change_over(quiet), use, removable=removable)


def _after_change_over(quiet: timedelta) -> str:
    """How long another one has verified what came: days without any sign-in say nothing about who signs."""
    days = f"{quiet.days} day{'' if quiet.days == 1 else 's'}"
    if quiet >= QUIET_BEFORE_REMOVAL:
        return f"Safe to remove: for {days}, every sign-in has been verified with a newer one."
    wait = f"Wait until it has been quiet for {QUIET_BEFORE_REMOVAL.days} days."
    return f"Another one has verified the sign-ins of the last {days}. {wait}" if quiet.days else f"Both sign. {wait}"


def _retired(certificate: IdpCertificate, use: CertificateUse | None) -> Standing:
    advice = "Trusted no longer. Kept so that a refusal can name it; safe to remove."
    return _standing(certificate, CertificateState.RETIRED, advice, use, removable=True)


def _standing(
    certificate: IdpCertificate,
    state: CertificateState,
    advice: str,
    use: CertificateUse | None,
    *,
    removable: bool = False,
) -> Standing:
    first, last = (use.first_used_at, use.last_used_at) if use else (None, None)
    return Standing(certificate, state, advice, removable, first, last)


def expiries(trusted: Sequence[IdpCertificate], now: datetime) -> tuple[Expiry, ...]:
    """The trusted certificates that end within the longest of WARNED_DAYS, the first one to end first."""
    latest = max((one.not_after for one in trusted), default=now)
    ending = sorted((one for one in trusted if one.days_left(now) <= max(WARNED_DAYS)), key=lambda one: one.not_after)
    return tuple(
        Expiry(
            certificate=one,
            days=one.days_left(now),
            within=min(days for days in WARNED_DAYS if one.days_left(now) <= days),
            has_successor=one.not_after < latest and latest - now > timedelta(days=max(WARNED_DAYS)),
        )
        for one in ending
    )


# What an administrator changes, by the names of SsoDraft; None where the certificate is not there any more.


def adding(draft: SsoDraft, certificate: IdpCertificate) -> Change:
    """Trust it beside the others, whether or not it was retired."""
    known = certificate in draft.certificates
    trusted = draft.certificates if known else (*draft.certificates, certificate)
    return _changed(trusted, _without(draft.retired_certificates, certificate))


def retiring(draft: SsoDraft, sha256: str) -> Change | None:
    found = _named(draft.certificates, sha256)
    if found is None:
        return None
    return _changed(_without(draft.certificates, found), (found, *draft.retired_certificates))


def bringing_back(draft: SsoDraft, sha256: str) -> Change | None:
    found = _named(draft.retired_certificates, sha256)
    return None if found is None else adding(draft, found)


def removing(draft: SsoDraft, sha256: str) -> Change | None:
    found = _named((*draft.certificates, *draft.retired_certificates), sha256)
    if found is None:
        return None
    return _changed(_without(draft.certificates, found), _without(draft.retired_certificates, found))


def _named(certificates: Sequence[IdpCertificate], sha256: str) -> IdpCertificate | None:
    return next((one for one in certificates if one.sha256 == sha256), None)


def _without(certificates: Sequence[IdpCertificate], certificate: IdpCertificate) -> tuple[IdpCertificate, ...]:
    return tuple(one for one in certificates if one != certificate)


def _changed(trusted: tuple[IdpCertificate, ...], retired: tuple[IdpCertificate, ...]) -> Change:
    return {"certificates": trusted, "retired_certificates": retired}


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
