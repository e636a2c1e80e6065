"""Which names a request may use for this service, and which pages' forms it takes."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from sp.saml.domains import normalize_domain
from sp.settings import Settings, is_loopback

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def allows_host(settings: Settings, host: str) -> bool:
    """Whether the value of a `Host` header names this service, or its assertion consumer service."""
    return is_own_host(settings, host) or _is_acs_host(settings, host)


def is_own_host(settings: Settings, host: str) -> bool:
    """Whether it is a name under which this service has its pages."""
    return _normalized(host, _scheme(settings)) in _hosts(settings.base_url, settings.allowed_hosts)


def _is_acs_host(settings: Settings, host: str) -> bool:
    """VIRTUAL_OFFICE_ACS_URL may name another host, such as that of the service that is stood in for."""
    acs = urlsplit(settings.acs_url)
    return _normalized(host, acs.scheme) == _normalized(acs.netloc, acs.scheme)


def is_own_origin(settings: Settings, origin: str) -> bool:
    """Whether the value of an `Origin` header is that of a page of this service."""
    scheme, separator, host = origin.partition("://")
    return bool(separator) and scheme == _scheme(settings) and is_own_host(settings, host)


def _scheme(settings: Settings) -> str:
    return urlsplit(settings.base_url).scheme


@lru_cache(maxsize=16)
def _hosts(base_url: str, allowed: str) -> frozenset[str]:
    """All names, each with its port. On loopback, `localhost`, 127.0.0.1 and [::1] are one name."""
    parts = urlsplit(base_url)
    hosts = {parts.netloc, *(part.strip() for part in allowed.split(",") if part.strip())}
    if is_loopback(parts.hostname or ""):
        port = "" if parts.port is None else f":{parts.port}"
        hosts |= {name + port for name in _LOOPBACK_NAMES}
    return frozenset(_normalized(host, parts.scheme) for host in hosts)


def _normalized(host: str, scheme: str) -> str:
    """In lower case, without a final dot, with A-labels as browsers send them, and the port that the scheme implies."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, str(_DEFAULT_PORTS.get(scheme, ""))
    name = name.lower().removesuffix(".")
    if not name.isascii():
        name = normalize_domain(name) or name
    return f"{name}:{port}"
