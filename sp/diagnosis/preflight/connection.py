"""What the preflight looks at: one account's settings as they stand or are being typed, and what surrounds them.

Owns that value and what all its checks need to know of a URL. Never judges.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from sp.saml.certificates import IdpCertificate

REAL_SERVICE = "sso.8x8.com"


@dataclass(frozen=True, slots=True)
class Connection:
    """An account about to be connected to its identity provider.

    The three texts are as typed. `faults` are the sentences with which the form refuses them, by label.
    `own_certificates` are this service's, in DER. `issuers_elsewhere` tells which other issuer a certificate (its
    `sha256`) stands for in another account. `distances` are how far IssueInstant was ahead of our clock in the last
    verified messages; `browser_distance` is the same for the browser that shows the form, where it says so.
    """

    now: datetime
    base_url: str
    entity_id: str
    acs_url: str
    sign_in_url: str = ""
    sign_out_url: str = ""
    issuer: str = ""
    certificates: tuple[IdpCertificate, ...] = ()
    own_certificates: tuple[bytes, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    issuers_elsewhere: Mapping[str, str] = field(default_factory=dict)
    switched_on: bool = True
    active: bool = True
    unsolicited: bool = True
    provisioning: bool = True
    mapped_field: str = "8x8 Username"
    mapped_user_exists: bool = False
    distances: tuple[timedelta, ...] = ()
    browser_distance: timedelta | None = None
    skew: timedelta = timedelta(seconds=180)
    response_max_age: timedelta = timedelta(minutes=10)


def parts_of(url: str) -> SplitResult | None:
    """The parts of an absolute http(s) URL; None for anything else, which the form refuses by itself."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and parts.hostname else None


def stays_near(host: str) -> bool:
    """Whether http to this host never leaves the machine or its container network: nobody can listen in."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return "." not in host


def same_address(one: str, other: str) -> bool:
    """Whether two addresses differ at most in capitals and a slash at the end, as typed ones do."""
    return one.strip().rstrip("/").casefold() == other.strip().rstrip("/").casefold()


def is_ours(connection: Connection, url: str) -> bool:
    """Whether a value is one of this service's own, or the real service's that the tutorial names."""
    base = connection.base_url
    own = (connection.entity_id, connection.acs_url, base, f"{base}/sso/login")
    parts = parts_of(url)
    return any(same_address(url, value) for value in own) or (parts is not None and parts.hostname == REAL_SERVICE)
