"""The certificates of an account as their page shows them: how each stands, what it did, and all on one line of time.

Owns the words and the way into the sign-in log. Never decides how one stands: `sp.flows.idp_certificates` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sp.flows.idp_certificates import CertificateState, Standing
from sp.web.admin import sign_in_log_address
from sp.web.admin.certificate_view import CertificateView, certificate_view
from sp.web.admin.managed import AccountView
from sp.web.admin.timeline import Lane, Timeline, timeline_of
from sp.web.times import ShownTime, shown_time

_BADGES = {
    CertificateState.ACTIVE: ("accepted", "Active"),
    CertificateState.UPCOMING: ("note", "Upcoming"),
    CertificateState.RETIRED: ("skipped", "Retired"),
}
_MINUTE = timedelta(minutes=1)  # a use is written down to the minute


@dataclass(frozen=True, slots=True)
class StandingView:
    """`badge` is the kind and the word of the state; `log_url` leads to the sign-ins of its time of use, or is ""."""

    certificate: CertificateView
    trusted: bool
    badge: tuple[str, str]
    advice: str
    removable: bool
    first_used: ShownTime | None
    last_used: ShownTime | None
    log_url: str


def standing_view(standing: Standing, account: AccountView, now: datetime) -> StandingView:
    return StandingView(
        certificate=certificate_view(standing.certificate, now),
        trusted=standing.state is not CertificateState.RETIRED,
        badge=_BADGES[standing.state],
        advice=standing.advice,
        removable=standing.removable,
        first_used=shown_time(standing.first_used_at, now) if standing.first_used_at else None,
        last_used=shown_time(standing.last_used_at, now) if standing.last_used_at else None,
        log_url=_log_url(standing, account),
    )


def picture_of(standings: Sequence[Standing], now: datetime) -> Timeline | None:
    return timeline_of([_lane(standing) for standing in standings], now) if standings else None


def _lane(standing: Standing) -> Lane:
    certificate = standing.certificate
    first, last = standing.first_used_at, standing.last_used_at
    label = f"{certificate.subject[:40]} ({certificate.sha256[:8]})"
    used = (first, last) if first and last else None
    return Lane(label, standing.state.value, certificate.not_before, certificate.not_after, used)


def _log_url(standing: Standing, account: AccountView) -> str:
    """Other certificates may have been in use at the same time: each sign-in's page names its own."""
    if standing.first_used_at is None or standing.last_used_at is None:
        return ""
    begin, end = standing.first_used_at - _MINUTE, standing.last_used_at + 2 * _MINUTE
    query = {"outcome": "accepted", "since": f"{begin:%Y-%m-%dT%H:%M}", "until": f"{end:%Y-%m-%dT%H:%M}"}
    return f"{sign_in_log_address.address_of(account)}?{urlencode(query)}"
